import CQRencode

/// A text as a QR code: a square of modules (ISO/IEC 18004).
struct QRCode: Hashable, Sendable {
    /// The dark modules: rows from top to bottom, each row from left to right.
    let isDark: [[Bool]]

    /// Width of the light margin on each side, in modules. Readers need this margin.
    static let quietZone = 4

    /// Encodes a text; `nil` if the text is too long for a QR code.
    init?(_ text: String) {
        // The lowest level of error correction keeps the code small. A higher level is not needed, because a screen has no
        // scratches.
        guard let code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1) else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard let modules = code.pointee.data else { return nil }
        isDark = (0..<width).map { row in (0..<width).map { modules[row * width + $0] & 1 == 1 } }
    }

    /// Width of the code on a terminal, in columns.
    var columns: Int { isDark.count + 2 * Self.quietZone }
    /// Height of the code on a terminal, in lines. Each line shows two rows of modules.
    var lines: Int { (columns + 1) / 2 }

    /// Draws the code with half blocks. Each character shows two modules.
    ///
    /// - Parameter colours: whether to set black and white. If `false`, the code is drawn for light text on a dark background.
    ///   Most terminals have a dark background. Phones can also read the inverse.
    func drawn(colours: Bool) -> [String] {
        stride(from: -Self.quietZone, to: isDark.count + Self.quietZone, by: 2).map { row in
            let characters = (-Self.quietZone..<isDark.count + Self.quietZone).map { column in
                Self.character(upper: isLight(row, column), lower: isLight(row + 1, column))
            }
            let line = String(characters)
            // These are pure white and pure black from the fixed part of the palette, which themes do not change.
            return colours ? "\u{1B}[38;5;231;48;5;16m\(line)\u{1B}[0m" : line
        }
    }

    private static func character(upper: Bool, lower: Bool) -> Character {
        switch (upper, lower) {
        case (true, true): "█"
        case (true, false): "▀"
        case (false, true): "▄"
        case (false, false): " "
        }
    }

    private func isLight(_ row: Int, _ column: Int) -> Bool {
        // If the number of rows is odd, the lower half of the last line is empty and drawn as background.
        guard row < isDark.count + Self.quietZone else { return false }
        return !(isDark.indices.contains(row) && isDark.indices.contains(column) && isDark[row][column])
    }
}
