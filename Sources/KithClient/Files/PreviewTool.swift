import Foundation
import ImageMetadata

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program on this device that makes a small picture of a large one. It reads the large one from its standard input, and writes
/// the small one to its standard output.
struct PreviewTool: Hashable, Sendable {
    /// The known programs, in order of preference.
    enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The program of libvips.
        case vips = "vipsthumbnail"
        /// The program of ImageMagick 7.
        case magick
        /// The program of ImageMagick 6.
        case convert
    }

    let kind: Kind
    /// The absolute path of the program.
    let path: String

    /// Sizes and qualities of a preview, from the best one to one that always fits into a message.
    static let attempts = [(side: 128, quality: 50), (side: 64, quality: 40)]

    init(kind: Kind, path: String) { (self.kind, self.path) = (kind, path) }

    /// Finds a program. Only absolute folders of the search path count, and no folder or program that everybody may change. On a
    /// system where another process can't be limited, there is no program.
    ///
    /// - Parameter searchPath: the folders, with colons between them, as in the environment variable `PATH`.
    init?(searching searchPath: String) {
        #if os(Linux)
            let folders = searchPath.split(separator: ":").filter { $0.hasPrefix("/") }
                .filter { Self.isSafe(String($0), S_IFDIR) }
            for kind in Kind.allCases {
                for folder in folders {
                    let path = "\(folder)/\(kind.rawValue)"
                    guard Self.isSafe(path, S_IFREG), access(path, X_OK) == 0 else { continue }
                    self.init(kind: kind, path: path)
                    return
                }
            }
        #endif
        return nil
    }

    /// Whether a path leads to something of a type that not everybody may change.
    private static func isSafe(_ path: String, _ type: mode_t) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == type && status.st_mode & S_IWOTH == 0
    }

    /// Returns the arguments of the program. ImageMagick is told the format, so that it does not choose among its many decoders. It
    /// reads its input by the number of the stream. By the usual name of the stream, `-`, it would copy the input into a file.
    func arguments(for format: PictureFormat, side: Int, quality: Int) -> [String] {
        switch kind {
        case .vips:
            [
                "stdin", "--size", "\(side)x\(side)>", "--export-profile", "srgb", "-o",
                ".jpg[Q=\(quality),strip,background=255]",
            ]
        case .magick, .convert:
            [
                "-limit", "memory", "256MiB", "-limit", "map", "256MiB", "-limit", "disk", "0", "-limit", "thread", "1",
                // Of an animation, only the first picture is read.
                "\(format.coder):fd:0[0]", "-auto-orient", "-thumbnail", "\(side)x\(side)>", "-background",
                "white",
                "-alpha", "remove", "-strip", "-quality", "\(quality)", "jpeg:fd:1",
            ]
        }
    }

    /// The whole environment of the program. libvips reads no rarely tested formats, uses one thread, and makes no machine code at
    /// run time, for which it would need a long file.
    static let environment = ["LC_ALL=C", "VIPS_BLOCK_UNTRUSTED=1", "VIPS_CONCURRENCY=1", "VIPS_NOVECTOR=1"]
}

extension PictureFormat {
    /// ImageMagick's name for the decoder.
    fileprivate var coder: String { rawValue.lowercased() }
}
