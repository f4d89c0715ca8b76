/// One pull of an image after the other: replicas that start together fetch its layers once.
actor PullTurns {
    /// The last pull of each name, and its number.
    private var last: [String: (number: Int, pull: Task<Void, Never>)] = [:]
    private var count = 0

    /// Does something for a name when nobody does any more.
    func take(
        _ name: String, _ body: @escaping @Sendable () async throws(RuntimeError) -> Void
    ) async throws(RuntimeError) {
        let before = last[name]?.pull
        let pull = Task { () -> Result<Void, RuntimeError> in
            await before?.value
            do throws(RuntimeError) { return .success(try await body()) } catch { return .failure(error) }
        }
        count += 1
        let number = count
        last[name] = (number, Task { _ = await pull.value })
        let outcome = await pull.value
        if last[name]?.number == number { last[name] = nil }
        try outcome.get()
    }
}
