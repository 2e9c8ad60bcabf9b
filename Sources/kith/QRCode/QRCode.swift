import CQRencode

/// A text as a QR code: a square of modules (ISO/IEC 18004).
struct QRCode: Hashable, Sendable {
    /// Rows from top to bottom, in each from left to right: whether the module is dark.
    let isDark: [[Bool]]

    /// The light modules that readers need round it, on each side.
    static let quietZone = 4

    /// `nil` if the text is longer than a QR code can be.
    init?(_ text: String) {
        // The lowest level of error correction: a screen has no scratches, and the code stays small.
        guard let code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1) else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard let modules = code.pointee.data else { return nil }
        isDark = (0..<width).map { row in (0..<width).map { modules[row * width + $0] & 1 == 1 } }
    }

    /// The columns that it takes on a terminal; half as many lines, rounded up.
    var columns: Int { isDark.count + 2 * Self.quietZone }
    /// The lines that it takes on a terminal.
    var lines: Int { (columns + 1) / 2 }

    /// The code drawn with half blocks, two modules in each character.
    ///
    /// - Parameter colours: whether black and white may be asked for. If not, it is drawn for light text on dark ground, as
    ///   most terminals have it; phones read the opposite too.
    func drawn(colours: Bool) -> [String] {
        stride(from: -Self.quietZone, to: isDark.count + Self.quietZone, by: 2).map { row in
            let characters = (-Self.quietZone..<isDark.count + Self.quietZone).map { column in
                Self.character(upper: isLight(row, column), lower: isLight(row + 1, column))
            }
            let line = String(characters)
            // Pure white on pure black, from the fixed part of the palette: themes change the others.
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
        // What is below the last line of an odd count of rows counts as the ground.
        guard row < isDark.count + Self.quietZone else { return false }
        return !(isDark.indices.contains(row) && isDark.indices.contains(column) && isDark[row][column])
    }
}
