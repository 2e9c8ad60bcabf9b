/// The names of files that others have sent. A name comes from the sender, so nothing in it may reach the file system or the
/// terminal unchecked.
package enum FileName {
    /// The longest name, in bytes. No common file system allows more.
    package static let longest = 255
    /// Maximum length of an ending that a shortened name keeps, in bytes, including the dot.
    private static let longestEnding = 16
    /// The separators of paths, on any system.
    private static let separators: Set<Unicode.Scalar> = ["/", "\\"]

    /// Returns a name that is safe in any folder: one path component without control or direction characters, which begins
    /// neither with a dot nor with a hyphen, and has 1 to ``longest`` bytes. A clean name stays as it is.
    package static func clean(_ name: String) -> String {
        // A separator forms one `Character` with a mark that follows, so a check of `Character`s would not find the separator.
        let allowed = name.unicodeScalars.filter(isAllowed)
        let last = allowed.split(omittingEmptySubsequences: true) { separators.contains($0) }.last
        var rest = last.map { trimmed(Substring($0)) } ?? ""
        // Programs would take a name that begins with a hyphen for an option.
        if rest.utf8.first == UInt8(ascii: "-") { rest = "_" + rest }
        let clean = trimmed(Substring(shortened(String(rest), to: longest)))
        return clean.isEmpty ? "file" : String(clean)
    }

    /// Whether a name is a single path component that names neither a folder nor its parent.
    package static func isOneComponent(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }

    /// Removes dots and spaces at both ends.
    private static func trimmed(_ name: Substring) -> Substring {
        func isEdge(_ scalar: Unicode.Scalar) -> Bool { scalar == "." || scalar.properties.isWhitespace }
        var scalars = name.unicodeScalars.drop(while: isEdge)
        while let last = scalars.last, isEdge(last) { scalars.removeLast() }
        return Substring(scalars)
    }

    /// Returns the name with a number before its ending, such as `photo (2).jpg`.
    ///
    /// - Parameter number: the number to insert. If it is less than 2, the name is returned unchanged.
    package static func numbered(_ name: String, _ number: Int) -> String {
        guard number > 1 else { return name }
        let (stem, ending) = parts(of: name)
        let mark = " (\(number))"
        return shortened(stem, to: longest - mark.utf8.count - ending.utf8.count) + mark + ending
    }

    /// Returns the name for the preview of a file, such as `photo (preview).jpg`.
    ///
    /// - Parameter isWebP: whether the preview is a WebP file and not a JPEG file.
    package static func ofPreview(of name: String, isWebP: Bool) -> String {
        let ending = " (preview)" + (isWebP ? ".webp" : ".jpg")
        return shortened(parts(of: name).stem, to: longest - ending.utf8.count) + ending
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: false
        // Joiners are parts of words and of emoji. All other characters of this kind are invisible, and some turn the
        // direction of the text, so that a name could seem to have another ending.
        case .format: scalar == "\u{200C}" || scalar == "\u{200D}"
        default: true
        }
    }

    /// Splits a name into its stem and its ending. The ending is empty or begins with a dot.
    private static func parts(of name: String) -> (stem: String, ending: String) {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex,
            name[dot...].utf8.count <= longestEnding
        else { return (name, "") }
        return (String(name[..<dot]), String(name[dot...]))
    }

    /// Shortens a name to at most `limit` bytes, without cutting a character in two. The name keeps its ending.
    private static func shortened(_ name: String, to limit: Int) -> String {
        guard name.utf8.count > limit else { return name }
        let (stem, ending) = parts(of: name)
        var short = ""
        for character in stem {
            if short.utf8.count + character.utf8.count + ending.utf8.count > limit { break }
            short.append(character)
        }
        return short.isEmpty ? "file" + ending : short + ending
    }
}

/// The media types that Kith states for files that it sends.
package enum MediaType {
    private static let types: [String: String] = [
        "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
        "heic": "image/heic", "svg": "image/svg+xml", "mp4": "video/mp4", "webm": "video/webm",
        "mov": "video/quicktime",
        "mp3": "audio/mpeg", "ogg": "audio/ogg", "opus": "audio/opus", "wav": "audio/wav", "flac": "audio/flac",
        "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html", "json": "application/json",
        "pdf": "application/pdf", "zip": "application/zip", "gz": "application/gzip", "tar": "application/x-tar",
    ]

    /// Returns the media type for a file's name. The type is a guess from the ending of the name.
    package static func of(_ name: String) -> String {
        let ending = name.split(separator: ".").dropFirst().last.map { $0.lowercased() } ?? ""
        return types[ending] ?? "application/octet-stream"
    }
}
