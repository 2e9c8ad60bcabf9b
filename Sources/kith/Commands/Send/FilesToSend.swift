import ArgumentParser
import Foundation
import KithClient

/// The options of `kith send` for files.
struct FilesToSend: ParsableArguments {
    @Option(
        name: .customLong("file"), parsing: .upToNextOption,
        help: ArgumentHelp("Send these files in one message; - is standard input.", valueName: "path"))
    var paths: [String] = []

    @Option(name: .long, help: ArgumentHelp("A text about the files.", valueName: "text"))
    var caption: String?

    @Option(
        name: .customLong("name"),
        help: ArgumentHelp("The name of the file from standard input.", valueName: "name"))
    var inputName: String?

    @Flag(name: .long, help: "Keep the metadata of pictures: camera, place, time.")
    var asIs = false

    @Flag(name: .long, help: "Send no small pictures of the pictures along.")
    var noPreview = false

    /// The path that stands for standard input.
    private static let input = "-"
    /// Number of bytes that are read from standard input at once.
    private static let chunk = 256 << 10

    func validate() throws {
        guard !paths.isEmpty else {
            if caption != nil || inputName != nil || asIs || noPreview {
                throw ValidationError("--caption, --name, --as-is and --no-preview need --file.")
            }
            return
        }
        guard paths.count <= ClientLimits.attachments else {
            throw ValidationError("--file takes at most \(ClientLimits.attachments) files for one message.")
        }
        if (caption ?? "").utf8.count > ClientLimits.caption {
            throw ValidationError("--caption takes at most \(ClientLimits.caption) bytes.")
        }
        let inputs = paths.count { $0 == Self.input }
        if inputs > 1 { throw ValidationError("Standard input can be sent once.") }
        if inputs == 1, inputName == nil {
            throw ValidationError("--file - needs --name, the name of the file that the other side gets.")
        }
        if inputs == 0, inputName != nil { throw ValidationError("--name is for --file -, standard input.") }
    }

    /// Opens the files. Bytes from standard input are collected in the profile, encrypted.
    func files(in profile: Profile) throws -> [FileToSend] {
        try paths.map { path in
            guard path != Self.input else { return try collectInput(in: profile) }
            let url = URL(fileURLWithPath: path)
            if !asIs, ProfileFiles.keepsMetadata(url) {
                StandardStream.error.write(
                    "[\(SafeText.oneLine(url.lastPathComponent)) keeps its metadata, such as author, place and time: Kith removes it from JPEG, PNG, WebP and GIF only]\n"
                )
            }
            let file = asIs ? FileToSend.asIs(url) : .file(url)
            return noPreview ? file.withoutPreview() : file
        }
    }

    private func collectInput(in profile: Profile) throws -> FileToSend {
        let name = inputName ?? "file"
        if !asIs, MediaType.of(name).hasPrefix("image/") || MediaType.of(name).hasPrefix("video/") {
            StandardStream.error.write(
                "[\(SafeText.oneLine(name)) keeps its metadata, such as place and time, because it comes from a pipe]\n"
            )
        }
        return try profile.files.collect(named: name) {
            var bytes = [UInt8](repeating: 0, count: Self.chunk)
            while true {
                let count = read(STDIN_FILENO, &bytes, bytes.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw Failure(message: "standard input can't be read") }
                return count == 0 ? nil : Array(bytes[..<count])
            }
        }
    }
}
