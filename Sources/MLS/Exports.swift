// The type of every key and secret of this module.
@_exported import struct KithSupport.SecretBytes
