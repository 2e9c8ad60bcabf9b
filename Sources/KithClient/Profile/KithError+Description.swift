import GRDBSQLite
import MLS

extension KithError: OwnWords {
    /// One sentence for the user, without a full stop.
    public var description: String {
        switch self {
        case .noProfile: "there is no profile in that folder"
        case .profileExists: "there is already a profile in that folder"
        case .hasOtherName(let name):
            "this profile is called \(ForeignText(name)); open it with that name, or rename it"
        case .wrongPassphrase: "the passphrase is wrong"
        case .noMemory(let bytes): BackupError.memorySentence(bytes)
        case .passphraseNeeded: "this profile needs its passphrase"
        case .inUse(let pid):
            "another process has the profile open" + (pid.map { " (process \($0))" } ?? "")
        case .file(let error): error.description
        case .store(let error): error.description
        case .backup(let error): error.description
        case .mls(let error): error.sentence
        case .relay(let error): error.description
        case .notAnAddress(let text): "\(ForeignText(text)) is not a relay address; write it as HOST:PORT"
        case .relayKeyChanged(let address, let known, let found):
            "the relay at \(address) has a different key than before (known: \(known), now: \(found)); somebody may be impersonating it, and nothing was sent"
        case .notFound(let name): "not found here: \(ForeignText(name))"
        case .nameTaken(let name): "the name \(ForeignText(name)) is already taken here"
        case .inviteExpired: "the invite has expired; ask for a new one"
        case .inviteIsMine: "this profile made the invite; it is for another person"
        case .inviteUsed: "the invite was used or withdrawn; ask for a new one"
        case .keyChanged(let contact, let pinned, let found):
            "\(ForeignText(contact))'s key differs from the pinned one (pinned \(pinned), found \(found)); nothing was sent"
        case .wrongClock(let difference): "\(difference.sentence), then try again"
        case .keyPackageNotCurrent(let name, let difference?):
            "\(ForeignText(name)) can't be added yet: \(difference.sentence). \(ForeignText(name)) will be added once the clock is right"
        case .keyPackageNotCurrent(let name, nil):
            "\(ForeignText(name)) can't be added yet: the keys from their device are out of date, or its clock was wrong. They will be added once the device has been online"
        case .wrongAccount: "the keys in that inbox are from another account; nothing was sent"
        case .deviceReplaced(let name):
            "\(ForeignText(name)) has a new device, but the address known here is the old device's; ask \(ForeignText(name)) for an invite, and use it"
        case .nameHeld: "another person holds that name at the relay; choose another"
        case .nameUnknown: "nobody holds that name at the relay"
        case .notReachable(let name, .notYet):
            "\(ForeignText(name))'s device has not sent its address for new conversations yet; it will when Kith next runs there"
        case .notReachable(let name, .pending):
            "\(ForeignText(name)) began a conversation that you have not accepted; accept it first"
        case .notReachable(let name, .restored):
            "this profile was restored from a backup, which holds no addresses; send \(ForeignText(name)) an invite, or use one of theirs"
        case .notReachable(let name, .asked):
            "\(ForeignText(name)) has not accepted your first text yet; more can be sent after that"
        case .notReachable(let name, .never):
            "you and \(ForeignText(name)) have no conversation of two, so there is no address for invitations; exchange an invite first"
        case .blocked(let name): "you have blocked \(ForeignText(name)); unblock the contact first"
        case .conversation(let status): status.sentence.description
        case .suspect:
            "the relay may be showing members different histories; nothing is sent there until you decide"
        case .blankText: "there is nothing to send"
        case .blankName: "a name or title can't be empty"
        case .notText: "that is not text: it has a NUL in it; base64 makes text of anything"
        case .tooLong(let limit): "that is too long; the limit is \(limit) bytes"
        case .duration(let longest):
            "a duration must be positive and at most \(longest.components.seconds) seconds"
        case .membership(let problem): problem.sentence.description
        case .files(let problem): problem.sentence
        case .message(let problem): problem.description
        case .cursor(let error): error.description
        case .closed: "the profile was closed before this was finished"
        }
    }
}

extension MessageProblem: CustomStringConvertible {
    /// One sentence for the user, without a full stop.
    public var description: String {
        switch self {
        case .notMine: "another person wrote this message; only its author can edit or delete it for everyone"
        case .notAText: "this message is no text, so it can't be edited"
        case .notAReaction: "a reaction is one emoji, or one other character"
        }
    }
}

extension CursorError: CustomStringConvertible {
    /// One sentence for the user, without a full stop.
    public var description: String {
        switch self {
        case .name(let limit): "the name of a cursor must be one line of 1 to \(limit) bytes"
        case .tooMany(let limit): "there are \(limit) cursors already; delete one first"
        case .damaged(let name):
            "the stored cursor \(ForeignText(name)) is damaged; delete it and create a new one"
        case .takenOver(let name): "another reader uses the cursor \(ForeignText(name)) now"
        }
    }
}

extension StoreError: CustomStringConvertible {
    /// One sentence for the user, without a full stop.
    public var description: String {
        switch self {
        case .full: "there is no room on the disk; nothing was changed"
        case .damaged(let table): "the profile's file is damaged or was altered (in its table \(table))"
        case .damagedHeader: "the profile's file, or its key file, is damaged or was altered"
        case .version(let version): "the profile was written by a newer Kith (format \(version))"
        case .database(let code): Self.sentence(ofDatabase: code)
        }
    }

    /// Describes an error of SQLite. The lowest byte of an extended result code is the basic code.
    private static func sentence(ofDatabase code: Int32) -> String {
        switch code & 0xff {
        case SQLITE_READONLY, SQLITE_PERM: "the profile can't be written: its file or disk is read-only"
        case SQLITE_BUSY, SQLITE_LOCKED: "another program keeps the profile's file busy; try again"
        case SQLITE_NOMEM: "there is not enough memory to use the profile"
        case SQLITE_IOERR: "the disk failed while the profile was in use"
        // Kith's own statements match its own tables. If SQLite finds a different table, column or value, another program has
        // changed the file.
        case SQLITE_CORRUPT, SQLITE_ERROR, SQLITE_SCHEMA, SQLITE_MISMATCH, SQLITE_CONSTRAINT, SQLITE_FORMAT,
            SQLITE_TOOBIG:
            "the profile's file is damaged or was altered"
        case SQLITE_NOTADB: "the profile's file is damaged, or is not a profile"
        case SQLITE_CANTOPEN:
            "the profile's files can't be opened here; if its disk is read-only, copy the whole folder to another"
        default: "the profile's file can't be used (database error \(code)); please report it"
        }
    }
}

extension MLSError {
    /// One sentence for the user, without a full stop.
    package var sentence: String {
        switch self {
        case .malformed: "a message of the group protocol (MLS) is invalid"
        case .unsupportedCipherSuite: "the group uses cryptography that this Kith does not have"
        case .crypto, .message: "a cryptographic check failed; the data was dropped"
        case .keyPackage, .leafNode:
            "a device's keys are not valid now; check this machine's date, and ask the other person to check theirs"
        case .tree, .joining: "the invitation to the group is not valid"
        case .proposals, .commit: "the change would break the group's rules"
        case .preSharedKey: "a key that the group needs is not on this device"
        case .storage: "the group's data on this device is damaged"
        case .usage, .internalError: "something failed inside Kith's group protocol (MLS); please report it"
        }
    }
}

extension BackupError: CustomStringConvertible {
    /// One sentence for the user, without a full stop.
    public var description: String {
        switch self {
        case .file(let error): error.description
        case .wrongPassphrase: "the passphrase does not open the backup, or is empty"
        case .noMemory(let bytes): Self.memorySentence(bytes)
        case .notABackup: "the file is not a Kith backup"
        case .version(let version): "a newer Kith wrote the backup (format \(version))"
        case .damaged: "the backup was cut off, damaged or altered; nothing was restored"
        case .tooLong(let limit): "a record of the profile is too long for a backup; the limit is \(limit) bytes"
        }
    }

    static func memorySentence(_ bytes: Int) -> String {
        "there is not enough memory to check the passphrase; that takes \(bytes >> 20) MiB"
    }
}
