// Every key and secret of this module has this type, so an import of the module includes it.
@_exported import struct KithSupport.SecretBytes
