public struct PKI: Sendable {}
