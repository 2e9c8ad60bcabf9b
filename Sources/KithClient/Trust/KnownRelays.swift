import Foundation
import KithSupport
import KithWire
import PrivateFiles

/// The relays that this user has met, and the key each had: what ssh keeps in `known_hosts`.
///
/// A text file with one relay a line: its address, a space, its pin. Lines that begin with `#`, and lines that this version
/// does not understand, are left as they are. Any number of processes may use it at once.
public struct KnownRelays: Sendable {
    /// The file.
    public let file: PrivateFile

    /// What is known about a relay.
    public enum Standing: Hashable, Sendable {
        /// It was met before, with this key.
        case known(RelayPin)
        /// It was not.
        case unknown
    }

    /// What became of a key that was to be remembered.
    public enum Remembered: Hashable, Sendable {
        /// It is in the file now.
        case added
        /// It was there already.
        case wasKnown
        /// Another key was there, and still is.
        case isAnother(RelayPin)
    }

    /// The relays in this file, which may not exist yet.
    public init(file: PrivateFile) { self.file = file }

    /// The relays known to this user.
    public init() { self.init(home: KithHome()) }

    /// The relays known to the user whose folder this is.
    package init(home: KithHome) { self.init(file: PrivateFile(home.knownRelays)) }

    /// What is known about the relay at an address.
    ///
    /// - Throws: ``PrivateFileError`` if the file is there and can't be read.
    public func standing(of address: RelayAddress) throws(PrivateFileError) -> Standing {
        pin(of: address, in: try lines()).map(Standing.known) ?? .unknown
    }

    /// Remembers the key of a relay that was met for the first time. Another process may have met it meanwhile: what is in
    /// the file stays.
    ///
    /// - Throws: ``PrivateFileError``.
    public func remember(_ pin: RelayPin, of address: RelayAddress) throws(PrivateFileError) -> Remembered {
        try file.locked { () throws(PrivateFileError) in
            var lines = try lines()
            if let known = self.pin(of: address, in: lines) { return known == pin ? .wasKnown : .isAnother(known) }
            lines.append("\(address) \(pin)")
            try file.write(Array((lines.joined(separator: "\n") + "\n").utf8))
            return .added
        }
    }

    /// Forgets a relay, so that its next key is taken for a first one.
    ///
    /// - Returns: whether it was known.
    /// - Throws: ``PrivateFileError``.
    public func forget(_ address: RelayAddress) throws(PrivateFileError) -> Bool {
        try file.locked { () throws(PrivateFileError) in
            let lines = try lines()
            let rest = lines.filter { record(in: $0)?.address != address }
            guard rest.count < lines.count else { return false }
            try file.write(Array(rest.map { $0 + "\n" }.joined().utf8))
            return true
        }
    }

    private func lines() throws(PrivateFileError) -> [String] {
        guard let content = try file.read(limit: ClientLimits.knownRelaysFile) else { return [] }
        return String(decoding: content, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The first line about a relay counts.
    private func pin(of address: RelayAddress, in lines: [String]) -> RelayPin? {
        for line in lines {
            if let record = record(in: line), record.address == address { return record.pin }
        }
        return nil
    }

    private func record(in line: String) -> (address: RelayAddress, pin: RelayPin)? {
        let parts = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
        guard parts.count == 2, let address = RelayAddress(String(parts[0])), let pin = RelayPin(String(parts[1]))
        else {
            return nil
        }
        return (address, pin)
    }
}
