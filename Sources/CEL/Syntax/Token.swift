/// One word of the language.
struct Token: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case end
        case identifier
        case int(Int64)
        /// A number that does not fit, or is none after all.
        case badNumber(String)
        case uint(UInt64)
        case double(Double)
        case string(String)
        case bytes([UInt8])
        /// Operators and brackets, and the words `in true false null`.
        case sign
    }

    let kind: Kind
    /// As it is written; `<EOF>` at the end.
    let text: String
    let offset: Int

    func isSign(_ wanted: String) -> Bool { kind == .sign && text == wanted }
}
