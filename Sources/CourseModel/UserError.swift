/// An error that a person reads: one plain sentence, and what to do about it.
public protocol UserError: Error, CustomStringConvertible {
    /// One plain sentence with the name and the value in quotes.
    var message: String { get }
    /// One imperative sentence, or nil when there is nothing to do.
    var hint: String? { get }
}

extension UserError {
    public var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }
}
