import Glibc

/// Why an image could not be loaded, built, found or removed: one sentence with the place, and a way on.
public struct ImageError: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    public var hint: String?

    public init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    public var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }

    /// What the system refused, with the present `errno`.
    static func system(_ what: String, _ number: Int32) -> ImageError {
        ImageError(
            "\(what): \(String(cString: strerror(number))).",
            hint: number == ENOSPC ? "Free some space on this disk: velocity image prune" : nil)
    }
}
