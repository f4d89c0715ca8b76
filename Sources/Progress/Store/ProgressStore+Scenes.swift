public import CourseModel

extension ProgressStore {
    /// What scenes may say about a learner, for `ScenePlayer`.
    public func sceneVariables(for learner: Learner) throws(ProgressError) -> [String: SceneValue] {
        let attempts = try attempts(of: learner.id)
        var values: [SceneVariable: SceneValue] = [
            .learner: .text(learner.name), .attempts: .number(Double(attempts.count)),
        ]
        let recoveries = attempts.flatMap(\.checkpoint.results).compactMap { $0.measured["recovery"] }
        if let latest = recoveries.last { values[.recoverySeconds] = .number(Double(latest / 100) / 10) }
        return Dictionary(uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value) })
    }
}
