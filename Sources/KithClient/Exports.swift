// The SDK's models, errors and limits are those of the state machines, and an import of the SDK includes them. The same holds
// for private files, which the SDK takes and whose errors it throws.
@_exported import KithCore

@_exported import struct KithSupport.PrivateFileError
@_exported import struct PrivateFiles.PrivateFile
