/// Further names for images.
extension ImageStore {
    /// Gives an image that was loaded or built one more name.
    ///
    /// - Returns: The new name, whole.
    public func tag(_ source: String, as name: String) throws(ImageError) -> ImageReference {
        let (from, to) = (try Self.reference(source), try Self.reference(name))
        guard let image = find(from) else {
            throw ImageError(
                "No image '\(from.familiar)' was loaded or built.",
                hint: "Only those can have further names; `velocity image list` shows them.")
        }
        try add(to, manifest: image.manifest, origin: image.origin, index: image.published)
        return to
    }

    /// Whether an image of this name was loaded or built.
    public func has(_ name: String) -> Bool { ImageReference(parsing: name).flatMap(find) != nil }

    private static func reference(_ text: String) throws(ImageError) -> ImageReference {
        guard let reference = ImageReference(parsing: text) else {
            throw ImageError("'\(text)' is no name for an image.", hint: "For example: task-tracker:v1")
        }
        return reference
    }
}
