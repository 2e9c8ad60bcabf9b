// The SDK's models, errors and limits are those of the state machines: whoever imports the SDK sees them.
@_exported import KithCore
