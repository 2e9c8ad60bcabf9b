import Foundation
import MLS

extension NameFolding {
    /// Folds case and width.
    package static let unicode = NameFolding { $0.precomposedStringWithCompatibilityMapping.lowercased() }
}

extension ProfileMachine {
    /// Reads a profile's state, and compares names by Unicode's forms.
    package convenience init(
        opening store: any ProfileStore, now: UInt64, steady: UInt64? = nil, random: RandomSource = .system,
        sizes: EntrySizes = EntrySizes()
    ) throws(KithError) {
        try self.init(
            opening: store, now: now, steady: steady, random: random, sizes: sizes, folding: .unicode)
    }

    /// Reads the readable part of a profile's state, and compares names by Unicode's forms.
    package convenience init(reading store: any ProfileStore, now: UInt64) throws(KithError) {
        try self.init(reading: store, now: now, folding: .unicode)
    }
}
