import CourseModel
import Yams

/// Reads what is read and replayed: characters, weeks and scenes.
struct ContentReader {
    let files: CourseFiles
    let diagnostics: Diagnostics

    /// Reads everything; with `hasAllLabs` false, because a lab could not be read, nothing is said about references
    /// to labs.
    func read(labs: [Lab], hasAllLabs: Bool) -> CourseContent {
        let (characters, moods) = readCharacters()
        var references = SceneReferences()
        var scenes: [Scene] = []
        var scenePlaces: [SceneID: SourcePlace] = [:]
        var weeks: [Week] = []
        var indexes: [(week: Week, fields: Fields)] = []
        var pages = PageReader(files: files, characters: characters, diagnostics: diagnostics)
        let folders = files.names(in: "Content/weeks").filter { files.isFolder("Content/weeks/\($0)") }
        for name in folders {
            if let (week, fields) = readWeek(name) {
                weeks.append(week)
                indexes.append((week, fields))
            }
            for file in files.names(in: "Content/weeks/\(name)/scenes") where file.hasSuffix(".scene") {
                let path = "Content/weeks/\(name)/scenes/\(file)"
                var parser = SceneParser(
                    file: path, characters: characters, moods: moods, references: references, diagnostics: diagnostics)
                let scene = parser.parse(files.text(path) ?? "")
                references = parser.references
                if let first = scenePlaces[scene.id] {
                    diagnostics.error(
                        SourcePlace(file: path), "the scene '\(scene.id)' is there already, in \(first.file)")
                }
                if scene.week.rawValue != name, !scene.week.rawValue.isEmpty {
                    diagnostics.error(
                        SourcePlace(file: path), "the scene says week '\(scene.week)', but stands in that of '\(name)'")
                }
                scenePlaces[scene.id] = SourcePlace(file: path)
                scenes.append(scene)
            }
            pages.read(week: name)
        }
        checkDetours(references, scenes: scenes)
        for (week, fields) in indexes {
            check(week, fields, scenes: scenes)
            pages.check(week, fields)
        }
        if hasAllLabs {
            checkGates(references, labs: labs)
            checkQuestions(labs, pages)
            for (week, fields) in indexes { check(week, fields, labs: labs) }
        }
        let hasAllWeeks = weeks.count == folders.count
        for scene in scenes where hasAllWeeks && !weeks.contains(where: { $0.scenes.contains(scene.id) }) {
            if references.detours.contains(where: { $0.to == scene.id }) { continue }
            diagnostics.error(
                scenePlaces[scene.id] ?? SourcePlace(file: "Content"), "no week lists the scene '\(scene.id)'",
                hint: "Add it to 'scenes' in its week.yaml.")
        }
        if hasAllWeeks { pages.checkAllListed(in: weeks) }
        weeks.sort { $0.number < $1.number }
        return CourseContent(
            weeks: weeks, scenes: scenes, characters: characters, labs: labs, pages: pages.pages,
            map: MapReader(files: files, diagnostics: diagnostics).read())
    }

    /// Kept answers are found by the id of their question, wherever that is asked.
    private func checkQuestions(_ labs: [Lab], _ pages: PageReader) {
        var known = Set(pages.pages.flatMap(\.questions).map(\.id))
        for lab in labs {
            for phase in lab.phases {
                for question in phase.questions where !known.insert(question.id).inserted {
                    diagnostics.error(
                        SourcePlace(file: "Labs/\(lab.id)/\(phase.id)/phase.yaml"),
                        "the question '\(question.id)' is there already", hint: "Give it another id.")
                }
            }
        }
    }

    private func document(_ path: String) -> Node? {
        guard let text = files.text(path) else {
            diagnostics.error(SourcePlace(file: path), "there is no file '\(path)'")
            return nil
        }
        return YAMLText(text, file: path, diagnostics: diagnostics)?.documents.first
    }

    private func readCharacters() -> (characters: [StoryCharacter], moods: Set<String>) {
        let file = "Content/characters.yaml"
        guard let node = document(file),
            var fields = Fields(node, what: "the list of characters", file: file, diagnostics: diagnostics)
        else { return ([], []) }
        fields.checkVersion()
        let moods = Set(fields.texts("moods"))
        var characters: [StoryCharacter] = []
        for node in fields.requiredList("characters") {
            guard var item = Fields(node, what: "a character", file: file, diagnostics: diagnostics) else { continue }
            let id: CharacterID = item.id("id")
            if characters.contains(where: { $0.id == id }) {
                diagnostics.error(item.valuePlace(of: "id"), "the character '\(id)' is there already")
            }
            characters.append(
                StoryCharacter(
                    id: id, name: item.text("name"), role: item.text("role"), colour: item.optionalText("colour"),
                    about: item.optionalText("about") ?? ""))
            item.finish()
        }
        fields.finish()
        return (characters, moods)
    }

    private func readWeek(_ name: String) -> (Week, Fields)? {
        let file = "Content/weeks/\(name)/week.yaml"
        guard let node = document(file),
            var fields = Fields(node, what: "a week", file: file, diagnostics: diagnostics)
        else { return nil }
        fields.checkVersion()
        let id: WeekID = fields.id("id")
        if id.rawValue != name, !id.rawValue.isEmpty {
            diagnostics.error(
                fields.valuePlace(of: "id"), "the week is called '\(id)', but its folder '\(name)'",
                hint: "Give both the same name.")
        }
        var crisis = Week.Crisis(title: "", text: "", scene: "")
        if var inner = fields.fields("crisis", what: "the crisis") {
            crisis = Week.Crisis(title: inner.text("title"), text: inner.text("text"), scene: inner.id("scene"))
            inner.finish()
        }
        let week = Week(
            id: id, number: fields.int("number", in: 1...52), title: fields.text("title"),
            subtitle: fields.text("subtitle"), summary: fields.text("summary"), crisis: crisis,
            goals: fields.texts("goals"), scenes: fields.ids("scenes", as: SceneID.self).map(\.id),
            pages: fields.ids("pages", as: PageID.self).map(\.id),
            labs: fields.ids("labs", as: LabID.self).map(\.id), metrics: readMetrics(&fields, file))
        fields.finish()
        return (week, fields)
    }

    private func readMetrics(_ week: inout Fields, _ file: String) -> [WeekMetric] {
        week.list("metrics").compactMap { node in
            guard var fields = Fields(node, what: "a metric", file: file, diagnostics: diagnostics) else { return nil }
            let title = fields.text("title")
            if TextMeasure.width(title) > 23 {
                diagnostics.error(
                    fields.valuePlace(of: "title"), "'\(title)' is wider than the 23 columns that the table has for it",
                    hint: "Say it in fewer words.")
            }
            var figures: [WeekMetric.Figure] = []
            for key in ["before", "after", "target"] {
                let text = fields.text(key)
                if TextMeasure.width(text) > 13 {
                    diagnostics.error(
                        fields.valuePlace(of: key), "'\(text)' is wider than the 13 columns that the table has for it",
                        hint: "Say it in fewer words.")
                }
                figures.append(WeekMetric.Figure(text))
            }
            let metric = WeekMetric(
                title: title, before: figures[0], after: figures[1], target: figures[2],
                measuredAs: fields.texts("measured"))
            fields.finish()
            return metric
        }
    }

    private func check(_ week: Week, _ fields: Fields, scenes: [Scene]) {
        for scene in Set(week.scenes + [week.crisis.scene]).sorted() where !scenes.contains(where: { $0.id == scene }) {
            if scene.rawValue.isEmpty { continue }
            diagnostics.error(
                fields.place(of: week.scenes.contains(scene) ? "scenes" : "crisis"), "there is no scene '\(scene)'",
                hint: suggestion(for: scene.rawValue, among: scenes.map(\.id.rawValue)))
        }
    }

    private func check(_ week: Week, _ fields: Fields, labs: [Lab]) {
        for lab in week.labs where !labs.contains(where: { $0.id == lab }) {
            diagnostics.error(
                fields.place(of: "labs"), "there is no lab '\(lab)'",
                hint: suggestion(for: lab.rawValue, among: labs.map(\.id.rawValue)))
        }
    }

    private func checkDetours(_ references: SceneReferences, scenes: [Scene]) {
        for detour in references.detours {
            if !scenes.contains(where: { $0.id == detour.to }) {
                diagnostics.error(
                    detour.place, "there is no scene '\(detour.to)'",
                    hint: suggestion(for: detour.to.rawValue, among: scenes.map(\.id.rawValue))
                        ?? "Write it, or take the detour out.")
            } else if reaches(detour.from, from: detour.to, references) {
                diagnostics.error(
                    detour.place, "this detour leads back to its own scene",
                    hint: "A detour must come to an end: take one of the circle out.")
            }
        }
    }

    private func reaches(_ goal: SceneID, from start: SceneID, _ references: SceneReferences) -> Bool {
        var reached: Set<SceneID> = [start]
        var open = [start]
        while let next = open.popLast() {
            if next == goal { return true }
            for detour in references.detours where detour.from == next && reached.insert(detour.to).inserted {
                open.append(detour.to)
            }
        }
        return false
    }

    private func checkGates(_ references: SceneReferences, labs: [Lab]) {
        for (path, place) in references.gates {
            let phase = path.phase.flatMap { labs.first { $0.id == path.lab }?.phase($0) }
            let isKnown = path.check.map { phase?.checkpoint.check($0) != nil } ?? (phase != nil)
            if isKnown { continue }
            let known = labs.flatMap { lab in lab.phases.map { "\(lab.id)/\($0.id)" } }
            diagnostics.error(
                place, "there is no checkpoint '\(path)'",
                hint: suggestion(for: path.description, among: known)
                    ?? "There are: \(known.sorted().joined(separator: ", ")).")
        }
    }
}
