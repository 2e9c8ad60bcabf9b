import Foundation
import ImageMetadata
import KithCore

/// Makes previews of pictures that the user sends. Decoders of pictures have many faults, and this process holds keys, so a
/// program in a process of its own decodes the pictures. It gets no metadata, and its answer is checked.
struct PreviewMaker: Sendable {
    /// The program; `nil` if there is none on this device.
    let tool: PreviewTool?
    /// The time at which no preview is made any more. A preview is never worth a long wait.
    private let deadline: ContinuousClock.Instant
    /// Maximum time for one preview.
    private let longest: Duration

    /// - Parameters:
    ///   - tool: the program.
    ///   - longest: maximum time for one preview.
    ///   - total: maximum time for all previews, from now on.
    init(
        tool: PreviewTool?, longest: Duration = .milliseconds(ClientLimits.previewMs),
        total: Duration = .milliseconds(ClientLimits.previewsMs)
    ) {
        (self.tool, self.longest) = (tool, longest)
        deadline = .now + total
    }

    /// A maker with the program that the search path of this process leads to.
    init() { self.init(tool: PreviewTool(searching: ProcessInfo.processInfo.environment["PATH"] ?? "")) }

    /// Makes a preview.
    ///
    /// - Parameter source: a file of the user, with or without its metadata.
    /// - Returns: a JPEG or WebP file of at most ``ClientLimits/thumbnail`` bytes, without metadata; `nil` if the file is no
    ///   picture, or if anything fails.
    func preview(of source: UploadSource) -> [UInt8]? {
        guard let tool, let picture = Self.clean(source), picture.size <= ClientLimits.previewedPicture,
            let start = try? picture.read(0..<min(12, picture.size)), let format = PictureFormat(start: start)
        else { return nil }
        guard let bytes = try? picture.read(0..<picture.size) else { return nil }
        let end = min(deadline, .now + longest)
        for (side, quality) in PreviewTool.attempts {
            let arguments = tool.arguments(for: format, side: side, quality: quality)
            guard let output = Self.run(tool, arguments, on: bytes, until: end),
                let preview = PreviewPicture(checking: output)
            else { return nil }
            if preview.bytes.count <= ClientLimits.thumbnail { return preview.bytes }
        }
        return nil
    }

    /// Returns a picture without its metadata. A picture that can't be cleaned breaks the rules of its format, so it is not given to
    /// a decoder.
    private static func clean(_ source: UploadSource) -> UploadSource? {
        guard case .path(let path, _, let isCleaned) = source.source else { return nil }
        if isCleaned { return source }
        guard let clean = try? UploadSource(path: path, cleans: true), case .path(_, _, isCleaned: true) = clean.source
        else { return nil }
        return clean
    }

    private static func run(
        _ tool: PreviewTool, _ arguments: [String], on picture: [UInt8], until end: ContinuousClock.Instant
    ) -> [UInt8]? {
        #if os(Linux)
            ConfinedProcess.output(
                of: tool.path, arguments, environment: PreviewTool.environment, until: end, input: picture)
        #else
            nil
        #endif
    }
}
