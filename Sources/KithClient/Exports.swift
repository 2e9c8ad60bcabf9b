// Programs use the models, errors and limits of the state machines, so an import of the SDK includes these modules. Functions of
// the SDK take private files and throw their errors, so that module is included as well.
@_exported import KithCore

@_exported import struct KithSupport.PrivateFileError
@_exported import struct PrivateFiles.PrivateFile
