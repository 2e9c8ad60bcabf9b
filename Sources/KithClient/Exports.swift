// Programs use the models, errors and limits of the state machines, so an import of the SDK includes these modules. Functions
// of the SDK take a `PrivateFile` and throw a `PrivateFileError`, so these types are included too.
@_exported import KithCore

@_exported import struct KithSupport.PrivateFileError
@_exported import struct PrivateFiles.PrivateFile
