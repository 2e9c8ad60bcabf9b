/// The orientation of a picture in Exif (tag 0x0112 of TIFF 6.0), from 1 to 8. A viewer turns and mirrors the picture according
/// to this number.
struct Orientation: Hashable {
    let value: UInt8

    /// The upright orientation. A picture without an orientation is upright.
    private static let upright: UInt8 = 1

    /// Finds the orientation in a TIFF structure. The content of Exif is a TIFF structure. `nil` if the structure has no
    /// orientation, is damaged, or has the upright orientation.
    init?(tiff: some Collection<UInt8>) {
        let bytes = Array(tiff)
        let isLittleEndian: Bool
        switch bytes.prefix(4) {
        case [0x49, 0x49, 42, 0]: isLittleEndian = true
        case [0x4d, 0x4d, 0, 42]: isLittleEndian = false
        default: return nil
        }
        func integer(at offset: Int, size: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - size else { return nil }
            let field = bytes[offset..<offset + size]
            return (isLittleEndian ? Array(field.reversed()) : Array(field)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = integer(at: 4, size: 4), let count = integer(at: directory, size: 2) else { return nil }
        for entry in 0..<count {
            let start = directory + 2 + 12 * entry
            guard let tag = integer(at: start, size: 2) else { return nil }
            guard tag == 0x0112 else { continue }
            // Type 3 is a 16-bit number.
            guard integer(at: start + 2, size: 2) == 3, integer(at: start + 4, size: 4) == 1,
                let value = integer(at: start + 8, size: 2), (2...8).contains(value)
            else { return nil }
            self.value = UInt8(value)
            return
        }
        return nil
    }

    /// A TIFF structure with nothing but this orientation: 26 bytes.
    var tiff: [UInt8] {
        [0x4d, 0x4d, 0, 42, 0, 0, 0, 8]  // big-endian; the directory is at byte 8
            + [0, 1]  // one entry
            + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0]
            + [0, 0, 0, 0]  // no other directory
    }
}
