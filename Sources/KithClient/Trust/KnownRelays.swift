import Foundation
import KithSupport
import KithWire
import PrivateFiles

/// The relays to which a user has connected, with their keys. The file corresponds to `known_hosts` of ssh.
///
/// The file is a text file with one relay per line: its address, a space, and its pin. Two kinds of lines are left unchanged:
/// lines that begin with `#`, and lines that this version cannot read. Any number of processes may use the file at the same time.
public struct KnownRelays: Sendable {
    /// The file.
    public let file: PrivateFile

    /// The result of storing a key.
    public enum Remembered: Hashable, Sendable {
        /// The key has been added to the file.
        case added
        /// The file already had the key.
        case wasKnown
        /// The file has another key for the relay. The file was not changed.
        case isAnother(RelayPin)
    }

    /// Uses the given file. The file need not exist yet.
    public init(file: PrivateFile) { self.file = file }

    /// Uses the file of this user.
    public init() { self.init(home: KithHome()) }

    /// Uses the file of known relays in a user's Kith folder.
    package init(home: KithHome) { self.init(file: PrivateFile(home.knownRelays)) }

    /// The key of a relay at the first connection; `nil` if the relay is not in the file.
    ///
    /// - Throws: ``PrivateFileError`` if the file exists but cannot be read.
    public func pin(of address: RelayAddress) throws(PrivateFileError) -> RelayPin? {
        pin(of: address, in: try lines())
    }

    /// Stores the key of a new relay. If another process has stored a key for the relay in the meantime, keeps that key.
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

    /// Forgets a relay. At the next connection, the relay counts as new, and any key of the relay is accepted.
    ///
    /// - Returns: whether the relay was in the file.
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

    /// Returns the pin of an address. If several lines have the address, the first one counts.
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
