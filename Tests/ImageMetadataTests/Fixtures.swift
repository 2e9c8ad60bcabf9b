import Foundation

@testable import ImageMetadata

/// A picture of the folder `Pictures`, which has no metadata.
func picture(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Pictures")
    return Array(try Data(contentsOf: folder.appending(path: name)))
}

let pictureNames = [
    "animation.gif", "animation.webp", "plain.gif", "plain.png", "plain.webp", "progressive.jpg", "restarts.jpg",
]

/// Removes the metadata. `nil` if the format is not known.
func clean(_ bytes: [UInt8]) throws -> [UInt8]? {
    try CleanPicture(removingMetadataFrom: bytes)?.bytes(from: bytes)
}
