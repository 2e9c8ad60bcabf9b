import Foundation
import KithCore
import KithWire
import PrivateFiles

// Files and previews that leave the profile.

extension ProfileFiles {
    /// Decrypts a file that is on this device into a folder. If the folder already has a file with the same name, the name of the
    /// new file gets a number.
    ///
    /// - Parameters:
    ///   - number: the file's number in its message, from 1.
    ///   - seq: the message's seq.
    ///   - conversation: the message's conversation.
    ///   - folder: the folder, which must exist.
    /// - Returns: the new file; `nil` if the file is not on this device.
    /// - Throws: ``KithError``.
    public func save(
        _ number: Int, of seq: UInt64, in conversation: ConversationID, to folder: URL
    ) async throws(KithError) -> URL? {
        let place = FilePlace(conversation: conversation, seq: seq, number: number)
        let content = try await profile.withFiles { (views) throws(KithError) in try views.content(of: place) }
        do {
            return try await save(content, to: folder)
        } catch let error as KithError {
            throw error
        } catch {
            // The file's bytes are missing or damaged. After this command, the file can be downloaded again.
            do throws(KithError) { try await profile.perform(.forgetKeptFile(place)) } catch {
                guard case .inUse = error else { throw error }
            }
            throw .files(.damaged)
        }
    }

    /// Writes content into a folder.
    ///
    /// - Throws: ``KithError``, or ``FileCipher/NotGenuine``.
    private func save(_ content: FileContent, to folder: URL) async throws -> URL? {
        guard let source = profile.transfers?.folder else { throw KithError.files(.notFound) }
        do {
            return try await FileTransfers.onDisk { try SavedFile.save(content, from: source, to: folder) }
        } catch let error as PrivateFileError {
            throw KithError.file(error)
        }
    }

    // MARK: Previews

    /// Returns the small picture that the message has of a file. The relay is not asked.
    ///
    /// - Parameters:
    ///   - number: the file's number in its message, from 1.
    ///   - seq: the message's seq.
    ///   - conversation: the message's conversation.
    /// - Returns: `nil` if the message has none, or one that is not valid.
    /// - Throws: ``KithError``.
    public func preview(
        _ number: Int, of seq: UInt64, in conversation: ConversationID
    ) async throws(KithError) -> FilePreview? {
        let place = FilePlace(conversation: conversation, seq: seq, number: number)
        return FilePreview(
            checking: try await profile.withFiles { (views) throws(KithError) in try views.preview(of: place).bytes })
    }

    /// Saves the small picture that the message has of a file. Its name is that of the file, with an addition.
    ///
    /// - Parameters: as in ``save(_:of:in:to:)``.
    /// - Returns: the new file; `nil` if the message has no valid preview.
    /// - Throws: ``KithError``.
    public func savePreview(
        _ number: Int, of seq: UInt64, in conversation: ConversationID, to folder: URL
    ) async throws(KithError) -> URL? {
        let place = FilePlace(conversation: conversation, seq: seq, number: number)
        let (bytes, file) = try await profile.withFiles { (views) throws(KithError) in try views.preview(of: place) }
        guard let preview = FilePreview(checking: bytes) else { return nil }
        let name = FileName.ofPreview(of: file.name, isWebP: preview.mediaType == "image/webp")
        do {
            return try await save(FileContent(name: name, bytes: .inMessage(preview.bytes)), to: folder)
        } catch let error as KithError {
            throw error
        } catch {
            throw .files(.damaged)
        }
    }
}
