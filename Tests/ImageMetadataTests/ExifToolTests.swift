import Foundation
import TestSupport
import Testing

@testable import ImageMetadata

/// ExifTool writes all kinds of metadata, and finds none after they were removed.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: ExifTool.path), "exiftool is not installed"))
struct ExifToolTests {
    /// Tags of all groups that ExifTool can write. It leaves out those that a format can't have.
    private static let tags = [
        "-EXIF:Make=Canon", "-EXIF:SerialNumber=123", "-EXIF:Orientation#=6",
        "-EXIF:DateTimeOriginal=2026:11:30 10:00:00",
        "-EXIF:GPSLatitude=52.5", "-EXIF:GPSLatitudeRef=N", "-EXIF:UserComment=private", "-XMP:Creator=Alice",
        "-XMP:GPSLatitude=52.5", "-XMP:Rating=3", "-IPTC:Keywords=holiday", "-Photoshop:XResolution=72",
        "-Comment=a comment", "-PNG:Author=Alice", "-PNG:ModifyDate=2026:11:30 10:00:00",
    ]

    /// The groups that may remain: they hold the file itself and the picture's shape.
    private static let harmlessGroups: Set<String> = [
        "ExifTool", "System", "File", "JFIF", "GIF", "RIFF", "PNG", "Composite",
    ]
    private static let harmlessTags: Set<String> = ["IFD0:Orientation", "IFD0:YCbCrPositioning"]
    /// Tags of the harmless groups that a person wrote.
    private static let personal: Set<String> = ["Comment", "Author", "ModifyDate", "XMPToolkit"]

    @Test("ExifTool finds nothing that it wrote but the orientation", arguments: pictureNames)
    func cleaned(name: String) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: name)
            try Data(try picture(name)).write(to: file)
            try ExifTool.run(["-q", "-q", "-m", "-overwrite_original"] + Self.tags + [file.path])
            let written = Array(try Data(contentsOf: file))
            try #require(try found(in: file).count > 1)
            let cleaned = try #require(try clean(written))
            #expect(cleaned.count < written.count)
            try Data(cleaned).write(to: file)
            #expect(try found(in: file).subtracting(Self.harmlessTags) == [])
            // It may warn of tags that Exif wants beside the orientation.
            #expect(!(try ExifTool.run(["-validate", "-error", "-s3", file.path])).contains("Error"))
            // ExifTool turns a GIF into version 89a, and gives WebP a longer header.
            if name.hasSuffix("gif") {
                #expect(cleaned.dropFirst(6) == (try picture(name)).dropFirst(6))
            } else if !name.hasSuffix("webp") {
                try ExifTool.run(["-q", "-overwrite_original", "-EXIF:all=", file.path])
                #expect(try clean(Array(try Data(contentsOf: file))) == (try picture(name)))
            }
        }
    }

    /// The metadata that ExifTool finds, as "group:tag".
    private func found(in file: URL) throws -> Set<String> {
        let lines = try ExifTool.run(["-a", "-u", "-G1", "-s", "-ee", file.path]).split(separator: "\n")
        let tags = lines.compactMap { line -> (group: String, tag: String)? in
            let parts = line.split(maxSplits: 2) { " []:".contains($0) }
            return parts.count > 1 ? (String(parts[0]), String(parts[1])) : nil
        }
        return Set(
            tags.filter { !Self.harmlessGroups.contains($0.group) || Self.personal.contains($0.tag) }
                .map { "\($0.group):\($0.tag)" })
    }
}

private enum ExifTool {
    static let path = "/usr/bin/exiftool"

    /// Runs ExifTool and returns its output.
    @discardableResult
    static func run(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let output = Pipe.closedToOthers()
        process.standardOutput = output
        try Spawning.alone { try process.run() }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
