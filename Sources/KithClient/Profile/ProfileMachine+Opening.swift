import Foundation
import MLS

extension NameFolding {
    /// Treats names as equal if they differ only in case or in the width of letters.
    package static let unicode = NameFolding { $0.precomposedStringWithCompatibilityMapping.lowercased() }
}

extension ProfileMachine {
    /// Reads a profile's state. Names are compared with Unicode's rules.
    package convenience init(
        opening store: any ProfileStore, now: UInt64, steady: UInt64? = nil, random: RandomSource = .system,
        sizes: EntrySizes = EntrySizes()
    ) throws(KithError) {
        try self.init(
            opening: store, now: now, steady: steady, random: random, sizes: sizes, folding: .unicode)
    }

    /// Reads the undamaged part of a profile's state. Names are compared with Unicode's rules.
    package convenience init(reading store: any ProfileStore, now: UInt64) throws(KithError) {
        try self.init(reading: store, now: now, folding: .unicode)
    }
}
