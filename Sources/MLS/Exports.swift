// The secrets in this module's interface have this type, so an import of the module includes the type.
@_exported import struct KithSupport.SecretBytes
