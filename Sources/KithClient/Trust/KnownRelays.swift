import Foundation
import KithSupport
import KithWire
import PrivateFiles

/// The relays that a user has connected to, with their keys, like `known_hosts` of ssh.
///
/// They are kept in a text file with one relay a line: its address, a space, its pin. Lines that begin with `#`, and lines that
/// this version does not understand, are left unchanged. Any number of processes may use the file at once.
public struct KnownRelays: Sendable {
    /// The file.
    public let file: PrivateFile

    /// The state of a relay in the file.
    public enum Standing: Hashable, Sendable {
        /// The relay had this key at the first connection.
        case known(RelayPin)
        /// The relay is not in the file.
        case unknown
    }

    /// The outcome of remembering a key.
    public enum Remembered: Hashable, Sendable {
        /// The key has been added to the file.
        case added
        /// The key was in the file already.
        case wasKnown
        /// The file has another key for the relay, and keeps it.
        case isAnother(RelayPin)
    }

    /// The relays in this file, which may not exist yet.
    public init(file: PrivateFile) { self.file = file }

    /// The relays known to this user.
    public init() { self.init(home: KithHome()) }

    /// The relays known to the user whose folder this is.
    package init(home: KithHome) { self.init(file: PrivateFile(home.knownRelays)) }

    /// Looks up the relay at an address.
    ///
    /// - Throws: ``PrivateFileError`` if the file exists and can't be read.
    public func standing(of address: RelayAddress) throws(PrivateFileError) -> Standing {
        pin(of: address, in: try lines()).map(Standing.known) ?? .unknown
    }

    /// Remembers the key of a new relay. A key that another process has stored for the relay meanwhile stays.
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

    /// Forgets a relay, so that its next key is accepted as the first one.
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
