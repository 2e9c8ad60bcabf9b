import Foundation
import TestSupport
import Testing

/// The scripts that check a release for reviewed versions.
@Suite struct PackagingTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func run(_ script: String, _ arguments: [String], _ environment: [String: String] = [:]) throws -> Int32 {
        let process = Process()
        process.executableURL = Self.root.appending(path: "scripts/\(script)")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func resolved(_ packages: [(name: String, state: String)]) -> String {
        let pins = packages.map { name, state in
            """
                {
                  "identity" : "\(name)",
                  "kind" : "remoteSourceControl",
                  "location" : "https://example.org/\(name)",
                  "state" : {
                    \(state)
                  }
                }
            """
        }
        return "{\n  \"pins\" : [\n\(pins.joined(separator: ",\n"))\n  ],\n  \"version\" : 3\n}\n"
    }

    @Test("the container's build has every folder that the manifest names")
    func foldersOfTheContainer() throws {
        func lines(_ path: String) throws -> [Substring] {
            try String(contentsOf: Self.root.appending(path: path), encoding: .utf8).split(separator: "\n")
        }
        let copied = try lines("packaging/Dockerfile").filter { $0.hasPrefix("COPY ") && !$0.contains("--from") }
            .flatMap { $0.split(separator: " ").dropFirst().dropLast() }
        let visible = try lines("packaging/Dockerfile.dockerignore").filter { $0.hasPrefix("!") }.map { $0.dropFirst() }
        let named = try lines("Package.swift").compactMap { line in
            line.firstRange(of: "path: \"").map { line[$0.upperBound...].prefix { $0 != "/" && $0 != "\"" } }
        }
        // Fuzz targets are left out of every other build.
        let needed = Set(named).subtracting(["Fuzz"]).union(["Package.swift", "Sources"])
        #expect(needed.count > 4)
        #expect(needed.subtracting(copied) == [])
        #expect(needed.subtracting(visible) == [])
    }

    @Test("resolved versions must match the list, transitive ones included")
    func versions() async throws {
        try await withTemporaryFolder { folder in
            let (list, pins) = (folder.appending(path: "versions.txt"), folder.appending(path: "Package.resolved"))
            let environment = ["KITH_RESOLVED": pins.path, "KITH_VERSIONS": list.path]
            func check(_ packages: [(name: String, state: String)]) throws -> Int32 {
                try Data(resolved(packages).utf8).write(to: pins)
                return try run("versions.sh", ["--check"], environment)
            }
            let one = (name: "one", state: "\"revision\" : \"aa\",\n        \"version\" : \"1.2.3\"")
            let two = (name: "two", state: "\"revision\" : \"bb\",\n        \"version\" : \"4.5.6\"")
            try Data(resolved([two, one]).utf8).write(to: pins)
            #expect(try run("versions.sh", ["--write"], environment) == 0)
            #expect(try String(contentsOf: list, encoding: .utf8) == "one 1.2.3\ntwo 4.5.6\n")
            #expect(try check([one, two]) == 0)
            #expect(try check([one]) == 1)
            #expect(try check([one, two, (name: "three", state: "\"version\" : \"1.0.0\"")]) == 1)
            #expect(try check([one, (name: "two", state: "\"version\" : \"4.5.7\"")]) == 1)
            #expect(try check([one, (name: "two", state: "\"branch\" : \"main\"")]) == 1)
            #expect(try check([]) == 1)
        }
    }

    @Test("a base image without a digest is refused")
    func images() throws {
        let digest = "@sha256:" + String(repeating: "a", count: 64)
        #expect(try run("container.sh", []) == 64)
        #expect(try run("container.sh", ["swift:6.3", "debian:bookworm\(digest)"]) == 64)
        #expect(try run("container.sh", ["swift:6.3\(digest)", "debian@sha256:abc"]) == 64)
    }
}
