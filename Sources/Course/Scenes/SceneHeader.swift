import CourseModel

/// What stands above the `---` of a scene.
struct SceneHeader {
    let id: SceneID
    let week: WeekID
    let title: String
    let setting: String
    let cast: [CharacterID]
    /// The checkpoint that opens the scene, and where that is written.
    let after: (path: LabPath, place: SourcePlace)?

    private static let keys = ["version", "scene", "week", "title", "setting", "cast", "after"]

    init(_ script: SceneScript, characters: [StoryCharacter], diagnostics: Diagnostics) {
        let start = SourcePlace(file: script.file)
        func text(_ key: String) -> String {
            guard let member = script.header[key], !member.value.isEmpty else {
                diagnostics.error(
                    script.header[key]?.place ?? start, "the scene needs '\(key)' in its header",
                    hint: "Write '\(key): …' above '---'.")
                return ""
            }
            return member.value
        }
        func place(_ key: String) -> SourcePlace { script.header[key]?.place ?? start }

        if let version = script.header["version"] {
            if version.value != "1" {
                diagnostics.error(
                    version.place, "version '\(version.value)' is not known: this program reads version 1",
                    hint: "Write 'version: 1', or update the program.")
            }
        } else {
            diagnostics.error(
                start, "the version number is missing", hint: "Write 'version: 1' as the first line.")
        }
        id = SceneID(rawValue: text("scene"))
        if !id.rawValue.isEmpty, !id.isWellFormed {
            diagnostics.error(
                place("scene"), "'\(id)' is not an id",
                hint: "Use lower-case letters, digits and hyphens, starting with a letter.")
        }
        week = WeekID(rawValue: text("week"))
        title = text("title")
        if TextMeasure.width(title) > 60 {
            diagnostics.error(place("title"), "the title is wider than 60 columns", hint: "Say it in fewer words.")
        }
        setting = script.header["setting"]?.value ?? ""
        if TextMeasure.width(setting) > 72 {
            diagnostics.error(place("setting"), "the setting is wider than 72 columns", hint: "Say it in fewer words.")
        }
        after = script.header["after"].flatMap { member in
            if let path = LabPath(parsing: member.value), path.phase != nil { return (path, member.place) }
            diagnostics.error(
                member.place, "'\(member.value)' is not a checkpoint", hint: "Write 'LAB/PHASE' or 'LAB/PHASE/CHECK'.")
            return nil
        }
        cast = text("cast").split(separator: ",").map { CharacterID(rawValue: String($0).trimmed) }
        for id in cast where !characters.contains(where: { $0.id == id }) {
            diagnostics.error(
                place("cast"), "there is nobody called '\(id)' in Content/characters.yaml",
                hint: suggestion(for: id.rawValue, among: characters.map(\.id.rawValue))
                    ?? "Add them to Content/characters.yaml.")
        }
        for key in script.header.keys.sorted() where !Self.keys.contains(key) {
            diagnostics.error(
                place(key), "a scene has no '\(key)'",
                hint: suggestion(for: key, among: Self.keys) ?? "A scene has \(Self.keys.joined(separator: ", ")).")
        }
    }
}
