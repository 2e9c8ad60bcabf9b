#!/bin/sh
# Builds for use: `swift build -c release` with C assertions off. SwiftPM leaves them on in every configuration. In
# BoringSSL they check each step of the curve arithmetic, which costs a fifth of a signature's verification.
exec swift build -c release -Xcc -DNDEBUG -Xcxx -DNDEBUG "$@"
