import KubeModel

/// The table `payments`: no card number and no CVV, only the last four digits.
struct PaymentLedger: Sendable {
    static let schema = """
        CREATE TABLE IF NOT EXISTS payments (
            id text PRIMARY KEY, amount numeric(8,2) NOT NULL CHECK (amount > 0), currency char(3) NOT NULL,
            card_brand text NOT NULL, card_last4 char(4) NOT NULL, status text NOT NULL,
            processed_by text NOT NULL, version text NOT NULL, created_at timestamptz NOT NULL DEFAULT now())
        """

    struct Entry: Sendable {
        var id: String
        var request: PaymentRequest
        var pod: String
        var version: String
    }

    let database: Database

    static func newID() -> String {
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        return "pay_" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Stores a payment, once, however often it is called with the same id.
    func add(_ entry: Entry) throws(PostgresConnection.Failure) {
        _ = try database.query(
            """
            INSERT INTO payments (id, amount, currency, card_brand, card_last4, status, processed_by, version)
            VALUES ($1, $2, $3, $4, $5, 'approved', $6, $7) ON CONFLICT (id) DO NOTHING
            """,
            [
                entry.id, entry.request.amount, entry.request.currency, entry.request.brand, entry.request.lastFour,
                entry.pod, entry.version,
            ])
    }

    /// The latest first.
    func list(limit: Int) throws(PostgresConnection.Failure) -> JSONValue {
        let rows = try database.query(
            """
            SELECT id, amount, currency, card_brand, card_last4, status, processed_by, version,
                to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), count(*) OVER ()
            FROM payments ORDER BY created_at DESC, id LIMIT $1
            """, ["\(limit)"])
        let payments = rows.map { row -> JSONValue in
            func text(_ index: Int) -> JSONValue { .string(row[index] ?? "") }
            return [
                "id": text(0), "amount": .double(row[1].flatMap(Double.init) ?? 0), "currency": text(2),
                "cardBrand": text(3), "cardLast4": text(4), "status": text(5), "processedBy": text(6),
                "version": text(7),
                "createdAt": text(8),
            ]
        }
        return ["count": .int(rows.first?[9].flatMap(Int64.init) ?? 0), "payments": .array(payments)]
    }

    func answers() throws(PostgresConnection.Failure) { _ = try database.query("SELECT 1") }
}
