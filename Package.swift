// swift-tools-version:6.1
import Foundation
import PackageDescription

/// Fuzz targets need instrumented modules and unsafe flags, and no package can depend on one with unsafe flags. So only
/// `make fuzz` includes them: it sets KITH_FUZZ.
let withFuzzTargets = ProcessInfo.processInfo.environment["KITH_FUZZ"] != nil

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let asyncAlgorithms: Target.Dependency = .product(name: "AsyncAlgorithms", package: "swift-async-algorithms")

let package = Package(
    name: "kith",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "TLSCodec", targets: ["TLSCodec"]),
        .library(name: "MLS", targets: ["MLS"]),
        .library(name: "KithWire", targets: ["KithWire"]),
        .library(name: "KithRelay", targets: ["KithRelay"]),
        .library(name: "KithClient", targets: ["KithClient"]),
        .library(name: "ClassicSession", targets: ["ClassicSession"]),
        .executable(name: "kith", targets: ["kith"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-async-algorithms", exact: "1.1.4"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    ],
    targets: [
        .target(name: "TLSCodec"),
        .target(name: "KithSupport", dependencies: ["CWipe"]),
        .target(name: "PrivateFiles", dependencies: ["KithSupport"]),
        .target(name: "ImageMetadata"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CWipe"),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]),
        .systemLibrary(name: "CQRencode", providers: [.apt(["libqrencode-dev"]), .brew(["qrencode"])]),
        .target(name: "MLS", dependencies: ["KithSupport", "TLSCodec", crypto]),
        // An example sees what a program of another package sees.
        .executableTarget(
            name: "PingBot", dependencies: ["KithClient"], path: "Examples/PingBot", packageAccess: false),
        .executableTarget(name: "mls-peer", dependencies: ["KithSupport", "MLS", "TLSCodec"]),
        .executableTarget(
            name: "MLSBenchmarks", dependencies: ["MLS", crypto], path: "Benchmarks/MLSBenchmarks"),
        .target(name: "KithWire", dependencies: ["KithSupport", "TLSCodec", crypto]),
        .target(
            name: "KithRelay",
            dependencies: [
                "CSQLite", "KithSupport", "KithWire", "PrivateFiles", "TLSCodec", nio, nioPosix, nioHTTP1, nioSSL,
                crypto, x509, logging,
            ]),
        .target(name: "ClassicSession", dependencies: ["KithSupport", "TLSCodec", crypto, cryptoExtras]),
        .target(name: "KithCore", dependencies: ["KithSupport", "KithWire", "MLS", "TLSCodec", crypto, deque]),
        .target(
            name: "KithClient",
            dependencies: [
                "CLinux", "ImageMetadata", "KithCore", "KithSupport", "KithWire", "MLS", "PrivateFiles", "TLSCodec",
                nio,
                nioPosix,
                nioHTTP1, nioTLS, nioSSL, crypto, cryptoExtras, grdb, grdbSQLite, deque,
            ]),
        .executableTarget(
            name: "kith",
            dependencies: [
                "KithClient", "KithCore", "KithRelay", "KithSupport", "KithWire", "ClassicSession", "PrivateFiles",
                "TLSCodec", "CLinux", "CQRencode", nio, nioPosix, argumentParser, logging, deque, asyncAlgorithms,
            ]),
        // Support for the tests of several modules. No product depends on these targets.
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .target(
            name: "RelayTestSupport",
            dependencies: ["TestSupport", "KithClient", "KithRelay", "KithWire", nio, nioPosix, nioSSL, logging],
            path: "Tests/RelayTestSupport"),
        .target(
            name: "KithSimulation",
            dependencies: ["KithCore", "KithWire", "MLS", "TestSupport", deque, heap]),
        .executableTarget(name: "kith-simulate", dependencies: ["KithSimulation", argumentParser]),
        .executableTarget(
            name: "CodecBenchmark",
            dependencies: ["KithWire", "TLSCodec", nio, nioEmbedded, nioWebSocket, argumentParser],
            path: "Benchmarks/CodecBenchmark"),
        .executableTarget(
            name: "RelayBenchmark",
            dependencies: ["KithWire", "TestSupport", nio, nioPosix, nioTLS, nioSSL, argumentParser],
            path: "Benchmarks/RelayBenchmark"),
        .executableTarget(
            name: "StoreBenchmark",
            dependencies: ["KithRelay", "KithWire", "TestSupport", nio, nioPosix, grdb, grdbSQLite, argumentParser],
            path: "Benchmarks/StoreBenchmark"),
        .executableTarget(
            name: "ClientBenchmark",
            dependencies: [
                "KithClient", "KithCore", "KithRelay", "KithSimulation", "KithWire", "TestSupport", nio, nioPosix,
                nioSSL, argumentParser,
            ],
            path: "Benchmarks/ClientBenchmark"),
        .testTarget(name: "KithSupportTests", dependencies: ["KithSupport", "TestSupport"]),
        .testTarget(
            name: "KithCoreTests",
            dependencies: [
                "KithCore", "KithSimulation", "KithSupport", "KithWire", "MLS", "TLSCodec", "TestSupport", crypto,
            ]),
        .testTarget(name: "ImageMetadataTests", dependencies: ["ImageMetadata", "TestSupport"], exclude: ["Pictures"]),
        .testTarget(name: "TLSCodecTests", dependencies: ["TLSCodec"]),
        .testTarget(
            name: "MLSTests", dependencies: ["KithSupport", "MLS", "TLSCodec", "TestSupport", crypto],
            exclude: ["Fixtures"]),
        .testTarget(name: "KithWireTests", dependencies: ["KithWire", "TLSCodec", crypto]),
        .testTarget(
            name: "KithRelayTests",
            dependencies: [
                "CSQLite", "KithRelay", "KithClient", "KithSupport", "RelayTestSupport", "TestSupport", "KithWire", nio,
                nioEmbedded, nioPosix, nioSSL, logging, crypto,
            ]),
        .testTarget(name: "ClassicSessionTests", dependencies: ["ClassicSession", "KithSupport", "TestSupport"]),
        .testTarget(
            name: "KithClientTests",
            dependencies: [
                "KithClient", "KithCore", "KithRelay", "KithSimulation", "KithSupport", "KithWire", "RelayTestSupport",
                "ImageMetadata", "TLSCodec", "TestSupport", "MLS", "PrivateFiles", nio, nioEmbedded, nioPosix, nioTLS,
                nioSSL, crypto, grdb, grdbSQLite,
            ]),
        .testTarget(
            name: "KithTests",
            dependencies: [
                "kith", "PingBot", "KithClient", "KithCore", "KithRelay", "KithSimulation", "KithWire",
                "ClassicSession", "RelayTestSupport", "TestSupport", nio, argumentParser, nioPosix, nioSSL,
            ]),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["KithSimulation", "KithCore", "KithClient", "KithRelay", "KithWire", "TestSupport", crypto]),
        .testTarget(
            name: "RelayProcessTests",
            dependencies: [
                "kith", "KithClient", "KithWire", "TLSCodec", "ClassicSession", "KithSupport", "RelayTestSupport",
                "TestSupport", nio,
            ]),
    ],
    swiftLanguageModes: [.v6]
)

if withFuzzTargets {
    let fuzzed = [
        "ImageMetadata", "TLSCodec", "KithSupport", "KithWire", "KithCore", "KithClient", "ClassicSession", "MLS",
    ]
    package.targets.append(
        .executableTarget(
            name: "KithFuzz", dependencies: fuzzed.map { .byName(name: $0) } + [crypto],
            path: "Fuzz/Targets", linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
    for target in package.targets where (fuzzed + ["KithFuzz"]).contains(target.name) {
        // Only the project's own code guides libFuzzer, so dependencies are built as for use. The fuzz targets use internal
        // declarations.
        target.swiftSettings = [.unsafeFlags(["-sanitize=fuzzer", "-enable-testing"])]
    }
}
