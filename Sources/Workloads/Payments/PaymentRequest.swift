import KubeModel

/// What a client asks to be charged, checked.
struct PaymentRequest: Sendable, Hashable {
    /// What is wrong with one field.
    struct Fault: Error, Sendable, Hashable {
        var field: String
        var message: String
    }

    /// With two decimals, as `99.99`.
    let amount: String
    let currency: String
    let cardNumber: String
    let brand: String
    /// What the client should know although the payment is taken.
    let remark: String?

    var lastFour: String { String(cardNumber.suffix(4)) }

    private static let currencies = ["EUR", "USD", "GBP", "CHF", "HRK"]

    /// Card numbers that all payment providers publish for testing: no bank stands behind them.
    private static let testNumbers: Set<String> = [
        "4111111111111111", "4242424242424242", "5555555555554444", "378282246310005",
    ]
    /// The expiry date that the course prints with its test card: it stays good for test cards, whatever year it is.
    private static let testExpiry = (year: 2025, month: 12)

    /// - Returns: All faults, not the first one alone.
    static func check(_ body: JSONValue, now: (year: Int, month: Int)) -> Result<PaymentRequest, Faults> {
        var faults: [Fault] = []
        func value<Value>(_ field: String, _ check: (JSONValue?) throws(Fault) -> Value) -> Value? {
            do throws(Fault) { return try check(body[field]) } catch {
                faults.append(error)
                return nil
            }
        }
        let amount = value("amount", Self.amount)
        let currency = value("currency", Self.currency)
        let number = value("cardNumber", Self.cardNumber)
        let isTest = number.map(testNumbers.contains) ?? false
        let isExpired = value("expiryDate") { json throws(Fault) in try expired(json, now, isTest: isTest) }
        let brand = number.map(Self.brand) ?? "card"
        _ = value("cvv") { json throws(Fault) in try cvv(json, brand) }
        guard faults.isEmpty, let amount, let currency, let number, let isExpired else {
            return .failure(Faults(all: faults))
        }
        return .success(
            PaymentRequest(
                amount: amount, currency: currency, cardNumber: number, brand: brand,
                remark: isExpired ? "a test card: its date has passed and is accepted all the same" : nil))
    }

    struct Faults: Error { var all: [Fault] }

    private static func amount(_ json: JSONValue?) throws(Fault) -> String {
        func fault(_ message: String) -> Fault { Fault(field: "amount", message: message) }
        guard let json else { throw fault("amount is missing") }
        let text: String
        switch json {
        case .int(let whole): text = whole.description
        // Six digits and two decimals come out of a fraction as they went in.
        case .double(let fraction) where !fraction.description.contains("e"): text = fraction.description
        default: throw fault("amount is a number with at most two decimals, for example 99.99")
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let decimals = parts.count > 1 ? String(parts[1]) : ""
        guard !text.hasPrefix("-"), text.contains(where: { ("1"..."9").contains($0) }) else {
            throw fault("amount must be more than 0")
        }
        guard decimals.count <= 2 else { throw fault("amount has more than two decimals") }
        guard parts[0].count <= 6 else { throw fault("amount must be less than 1000000") }
        return "\(parts[0]).\(decimals)\(String(repeating: "0", count: 2 - decimals.count))"
    }

    private static func currency(_ json: JSONValue?) throws(Fault) -> String {
        guard let json else { return "EUR" }
        guard let text = json.string, currencies.contains(text) else {
            throw Fault(field: "currency", message: "currency is one of \(currencies.joined(separator: ", "))")
        }
        return text
    }

    /// Digits whose checksum is right (ISO/IEC 7812-1, "Luhn"); spaces and dashes between them are fine.
    private static func cardNumber(_ json: JSONValue?) throws(Fault) -> String {
        func fault(_ message: String) -> Fault { Fault(field: "cardNumber", message: message) }
        guard let json else { throw fault("cardNumber is missing") }
        guard let text = json.string else { throw fault("cardNumber is a string of digits") }
        let digits = text.filter { $0 != " " && $0 != "-" }
        guard digits.allSatisfy({ ("0"..."9").contains($0) }), 12...19 ~= digits.count else {
            throw fault("cardNumber has 12 to 19 digits")
        }
        let sum = digits.reversed().enumerated().reduce(0) { sum, place in
            let digit = Int(place.element.asciiValue ?? 48) - 48
            let weighted = place.offset % 2 == 1 ? digit * 2 : digit
            return sum + (weighted > 9 ? weighted - 9 : weighted)
        }
        guard sum % 10 == 0 else { throw fault("cardNumber is mistyped: its checksum is wrong") }
        return digits
    }

    private static func brand(_ number: String) -> String {
        switch number.prefix(2) {
        case "34", "37": "amex"
        case "51"..."55": "mastercard"
        case let two where two.hasPrefix("4"): "visa"
        default: "card"
        }
    }

    /// Whether the date has passed, which only a test card may have.
    private static func expired(_ json: JSONValue?, _ now: (year: Int, month: Int), isTest: Bool) throws(Fault) -> Bool
    {
        func fault(_ message: String) -> Fault { Fault(field: "expiryDate", message: message) }
        guard let json else { throw fault("expiryDate is missing") }
        let parts = (json.string ?? "").split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.allSatisfy { ("0"..."9").contains($0) } }),
            let month = Int(parts[0]), 1...12 ~= month, parts[0].count <= 2, let short = Int(parts[1]),
            [2, 4].contains(parts[1].count)
        else { throw fault("expiryDate is MM/YY, for example 12/29") }
        let year = parts[1].count == 2 ? 2000 + short : short
        guard year <= now.year + 20 else { throw fault("expiryDate is too far ahead") }
        if (year, month) >= now { return false }
        guard isTest, (year, month) >= testExpiry else { throw fault("the card expired in \(parts[0])/\(parts[1])") }
        return true
    }

    private static func cvv(_ json: JSONValue?, _ brand: String) throws(Fault) {
        guard let json else { throw Fault(field: "cvv", message: "cvv is missing") }
        let count = brand == "amex" ? 4 : 3
        guard let text = json.string, text.count == count, text.allSatisfy({ ("0"..."9").contains($0) }) else {
            throw Fault(field: "cvv", message: "cvv is a string of \(count) digits")
        }
    }
}
