import Testing
@testable import MLS
