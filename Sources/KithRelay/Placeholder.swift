// KithRelay
