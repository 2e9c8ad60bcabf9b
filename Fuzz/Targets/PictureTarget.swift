import ImageMetadata

/// A picture is refused, or cleaned. A clean picture is no longer than the original by more than the parts that are made anew, and
/// there is nothing left to clean in it.
func fuzzPicture(_ bytes: [UInt8]) {
    if let size = PictureSize(of: bytes) {
        expect(size.width > 0 && size.height > 0, "a picture without pixels has a size")
    }
    if let preview = PreviewPicture(checking: bytes) {
        expect(PreviewPicture(checking: preview.bytes) == preview, "a preview was not clean")
    }
    guard let picture = try? CleanPicture(removingMetadataFrom: bytes) else { return }
    guard let cleaned = try? picture.bytes(from: bytes) else { fatalError("a part of the picture lies outside of it") }
    expect(UInt64(cleaned.count) == picture.size, "the size is wrong")
    expect(cleaned.count <= bytes.count + 64, "a clean picture has grown")
    guard let again = try? CleanPicture(removingMetadataFrom: cleaned), let bytes = try? again.bytes(from: cleaned)
    else {
        fatalError("a clean picture is refused")
    }
    expect(bytes == cleaned, "a clean picture was not clean")
}
