import GRDB

/// The schema, in steps that are only ever added to: a step that was shipped never changes.
enum Migrations {
    static var all: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1: learners, attempts, verdicts, hints, scene plays") { db in
            try learners(db)
            try attempts(db)
            try story(db)
        }
        migrator.registerMigration("v2: submissions") { db in
            try db.create(table: "submission") { table in
                table.primaryKey("id", .text)
                table.column("learner", .text).notNull().references("learner")
                table.column("lab", .text).notNull()
                table.column("created", .integer).notNull()
                table.column("imported", .integer).notNull()
                table.column("digest", .text).notNull()
                // The whole file: what was handed in can be looked at again.
                table.column("file", .text).notNull()
            }
        }
        migrator.registerMigration("v3: what scenes showed, answers to questions", migrate: retrospectives)
        migrator.registerMigration("v4: pages that were read") { db in
            try db.create(table: "pageRead") { table in
                table.column("learner", .text).notNull().references("learner")
                table.column("page", .text).notNull()
                table.column("read", .integer).notNull()
                table.primaryKey(["learner", "page"])
            }
        }
        return migrator
    }

    private static func learners(_ db: Database) throws {
        try db.create(table: "learner") { table in
            table.primaryKey("id", .text)
            table.column("name", .text).notNull()
            table.column("created", .integer).notNull()
        }
        try db.create(table: "setting") { table in
            table.primaryKey("name", .text)
            table.column("value", .text).notNull()
        }
    }

    private static func attempts(_ db: Database) throws {
        try db.create(table: "attempt") { table in
            table.autoIncrementedPrimaryKey("position")
            table.column("id", .text).notNull().unique()
            table.column("learner", .text).notNull().references("learner")
            table.column("lab", .text).notNull()
            table.column("phase", .text).notNull()
            table.column("checks", .text).notNull()
            table.column("cluster", .text).notNull()
            table.column("seed", .integer).notNull()
            table.column("started", .integer).notNull()
            table.column("finished", .integer).notNull()
            table.column("outcome", .text).notNull().check { outcomes.contains($0) }
            table.column("previousHash", .text).notNull().check(sql: "length(previousHash) = 64")
            table.column("hash", .text).notNull().unique().check(sql: "length(hash) = 64")
        }
        try db.create(index: "attemptByLab", on: "attempt", columns: ["learner", "lab", "position"])
        try db.create(table: "verdict") { table in
            table.column("attempt", .text).notNull().references("attempt", column: "id")
            table.column("number", .integer).notNull()
            table.column("check", .text).notNull()
            table.column("title", .text).notNull()
            table.column("outcome", .text).notNull().check { outcomes.contains($0) }
            // The whole result as JSON: expected, found, hint, evidence, measured times.
            table.column("result", .text).notNull()
            table.primaryKey(["attempt", "number"])
        }
        for table in ["attempt", "verdict"] {
            for change in ["Update", "Delete"] {
                try db.execute(
                    sql: """
                        CREATE TRIGGER \(table)No\(change) BEFORE \(change) ON \(table)
                        BEGIN SELECT RAISE(ABORT, 'what was recorded is never changed'); END
                        """)
            }
        }
    }

    private static func story(_ db: Database) throws {
        try db.create(table: "hintShown") { table in
            table.autoIncrementedPrimaryKey("position")
            table.column("learner", .text).notNull().references("learner")
            table.column("lab", .text).notNull()
            table.column("phase", .text).notNull()
            table.column("check", .text).notNull()
            table.column("level", .integer).notNull().check { $0 >= 1 }
            table.column("text", .text).notNull()
            table.column("shown", .integer).notNull()
        }
        try db.create(table: "scenePlay") { table in
            table.autoIncrementedPrimaryKey("position")
            table.column("learner", .text).notNull().references("learner")
            table.column("scene", .text).notNull()
            table.column("started", .integer).notNull()
            table.column("finished", .integer)
            table.column("lines", .text).notNull()
            table.column("choices", .text).notNull()
        }
        try db.create(table: "place") { table in
            table.primaryKey("learner", .text).references("learner")
            table.column("lab", .text).notNull()
            table.column("phase", .text).notNull()
            table.column("opened", .integer).notNull()
        }
    }

    private static func retrospectives(_ db: Database) throws {
        try db.alter(table: "scenePlay") { table in
            // The lines as they stood on the screen, as JSON, and which version of the script they came from.
            table.add(column: "transcript", .text).notNull().defaults(to: "[]")
            table.add(column: "fingerprint", .text).notNull().defaults(to: "")
        }
        // Only ever added to: the latest answer counts, the earlier ones stay.
        try db.create(table: "answer") { table in
            table.autoIncrementedPrimaryKey("position")
            table.column("learner", .text).notNull().references("learner")
            table.column("question", .text).notNull()
            table.column("text", .text).notNull()
            table.column("written", .integer).notNull()
        }
    }

    private static let outcomes = ["passed", "failed", "unknown", "skipped"]
}
