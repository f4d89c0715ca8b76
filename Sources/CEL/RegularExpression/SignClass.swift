/// A set of signs.
struct SignClass: Sendable {
    private enum Part: Sendable {
        case range(ClosedRange<UInt32>)
        case category(String, isNegated: Bool)
        case nested(SignClass)
    }

    private var parts: [Part] = []
    var isNegated = false
    /// Whether upper and lower case are the same.
    var foldsCase = false

    init() {}

    init(_ sign: Unicode.Scalar, foldsCase: Bool) {
        parts = [.range(sign.value...sign.value)]
        self.foldsCase = foldsCase
    }

    init(ranges: [ClosedRange<Unicode.Scalar>], isNegated: Bool = false) {
        parts = ranges.map { .range($0.lowerBound.value...$0.upperBound.value) }
        self.isNegated = isNegated
    }

    mutating func add(_ range: ClosedRange<UInt32>) { parts.append(.range(range)) }
    mutating func add(_ other: SignClass) { parts.append(.nested(other)) }

    /// A general category of Unicode (`L`, `Lu`, `Nd`); nil for other names.
    init?(category: String, isNegated: Bool) {
        guard category == "Any" || Self.categories.contains(category) else { return nil }
        parts = [.category(category, isNegated: isNegated)]
    }

    private static let categories: Set<String> = [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cs",
    ]

    func contains(_ sign: Unicode.Scalar) -> Bool {
        var isIn = includes(sign)
        if !isIn, foldsCase {
            isIn = Self.otherCase(sign).contains(where: includes)
        }
        return isIn != isNegated
    }

    private func includes(_ sign: Unicode.Scalar) -> Bool {
        parts.contains { part in
            switch part {
            case .range(let range): range.contains(sign.value)
            case .category(let name, let isNegated):
                (name == "Any" || sign.properties.generalCategory.abbreviation.hasPrefix(name)) != isNegated
            case .nested(let inner): inner.contains(sign)
            }
        }
    }

    private static func otherCase(_ sign: Unicode.Scalar) -> [Unicode.Scalar] {
        [sign.properties.lowercaseMapping, sign.properties.uppercaseMapping].compactMap { mapping in
            let scalars = mapping.unicodeScalars
            return scalars.count == 1 ? scalars.first : nil
        }
    }
}

extension SignClass {
    static let digits = SignClass(ranges: ["0"..."9"])
    static let spaces = SignClass(ranges: ["\t"..."\n", "\u{C}"..."\r", " "..." "])
    static let words = SignClass(ranges: ["0"..."9", "A"..."Z", "a"..."z", "_"..."_"])

    /// The classes of `[[:name:]]`.
    static let named: [String: [ClosedRange<Unicode.Scalar>]] = [
        "alnum": ["0"..."9", "A"..."Z", "a"..."z"], "alpha": ["A"..."Z", "a"..."z"], "ascii": ["\0"..."\u{7F}"],
        "blank": ["\t"..."\t", " "..." "], "cntrl": ["\0"..."\u{1F}", "\u{7F}"..."\u{7F}"], "digit": ["0"..."9"],
        "graph": ["!"..."~"], "lower": ["a"..."z"], "print": [" "..."~"],
        "punct": ["!"..."/", ":"..."@", "["..."`", "{"..."~"], "space": ["\t"..."\r", " "..." "],
        "upper": ["A"..."Z"], "word": ["0"..."9", "A"..."Z", "a"..."z", "_"..."_"],
        "xdigit": ["0"..."9", "A"..."F", "a"..."f"],
    ]

    func negated() -> SignClass {
        var copy = self
        copy.isNegated.toggle()
        return copy
    }
}

extension Unicode.GeneralCategory {
    fileprivate var abbreviation: String {
        switch self {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: "Cn"
        @unknown default: ""
        }
    }
}
