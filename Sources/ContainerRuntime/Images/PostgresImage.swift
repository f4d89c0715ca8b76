import Glibc

/// `postgres`: the host's PostgreSQL, started as the official image starts it.
extension ImageCatalog {
    static let postgresImage = BuiltIn(
        repository: "docker.io/library/postgres",
        tags: ["alpine", "latest"]
            + (12...17).flatMap { ["\($0)", "\($0)-alpine", "\($0)-bookworm"] },
        tagSummary: "12 to 17, latest, each also -alpine",
        runs: PostgresPrograms.newest.map { "the host's PostgreSQL \($0.version), whatever the tag says" }
            ?? "the host's PostgreSQL",
        needs: nil,
        lacks: {
            PostgresPrograms.newest == nil
                ? "PostgreSQL is not installed on this machine; sudo apt-get install postgresql" : nil
        }
    ) { reference, tag, _ in
        let programs = PostgresPrograms.best(for: tag)
        return Recipe(
            image: Image(
                reference: reference, digest: "builtin:postgres:\(tag)",
                entrypoint: ["sh", PostgresPrograms.entrypointPath], command: ["postgres"],
                environment: [
                    "PATH=\(programs?.folder ?? ""):\(SystemFiles.path)", "PG_MAJOR=\(programs?.version ?? "")",
                    "PGDATA=/var/lib/postgresql/data",
                ],
                // The user whom every system of ours has; PostgreSQL refuses to run as root. SIGINT is its fast shutdown.
                user: 999, stopSignal: SIGINT),
            files: [SystemFiles.File(path: PostgresPrograms.entrypointPath, content: PostgresPrograms.entrypoint)],
            account: "postgres")
    }
}

/// The PostgreSQL servers of this machine, as Debian puts them: `/usr/lib/postgresql/VERSION/bin`.
struct PostgresPrograms: Sendable {
    let version: String
    var folder: String { "\(Self.parent)/\(version)/bin" }

    private static let parent = "/usr/lib/postgresql"
    static let entrypointPath = "/opt/velocitylab/bin/docker-entrypoint.sh"

    /// The newest first.
    private static var all: [PostgresPrograms] {
        (9...30).reversed().map { PostgresPrograms(version: "\($0)") }.filter {
            access("\($0.folder)/postgres", X_OK) == 0 && access("\($0.folder)/initdb", X_OK) == 0
        }
    }

    static var newest: PostgresPrograms? { all.first }

    /// The version that the tag asks for where it is installed, otherwise the newest.
    static func best(for tag: String) -> PostgresPrograms? {
        all.first { $0.version == tag.prefix { $0.isNumber } } ?? newest
    }

    /// What the official image's start script does (Docker Hub, "postgres", "Environment Variables" and "Initialization scripts"),
    /// for a container that is not root at any time.
    ///
    /// Without scripts to run, the database is made by a server in single-user mode: no second start.
    static let entrypoint = """
        #!/bin/sh
        set -e
        say() { echo "$*" >&2; }
        fail() { say "Error: $1"; shift; for line in "$@"; do say "       $line"; done; exit 1; }
        value() {
            eval "plain=\\${$1:-} file=\\${$1_FILE:-}"
            [ -z "$plain" ] || [ -z "$file" ] || fail "both $1 and $1_FILE are set, but only one of them counts"
            if [ -n "$file" ]; then plain=$(cat "$file"); fi
            if [ -z "$plain" ]; then plain=$2; fi
            eval "$1=\\$plain"
            unset "$1_FILE"
        }
        case "${1:-postgres}" in -*) set -- postgres "$@" ;; esac
        if [ "${1:-}" != postgres ]; then exec "$@"; fi
        case " $* " in *" --help "*|*" --version "*|*" -V "*|*" -? "*) exec "$@" ;; esac

        if [ -n "${VELOCITY_ROOT:-}" ]; then
            fail "PostgreSQL needs files and a user of its own, which level 'plain' does not have." \\
                "velocity doctor says how to get the level 'sandbox'."
        fi
        if [ "$(id -u)" = 0 ]; then
            fail "PostgreSQL does not run as root." "Leave runAsUser and runAsGroup out, or set runAsUser: 999."
        fi
        mkdir -p "$PGDATA" 2>/dev/null || fail "the folder PGDATA=$PGDATA cannot be made by user $(id -u)" \\
            "Mount a volume there that this user may write to: securityContext.fsGroup: 999"
        if [ ! -O "$PGDATA" ]; then
            # A volume belongs to whoever made it, and PostgreSQL wants a folder of its own.
            [ -w "$PGDATA" ] || fail "PGDATA=$PGDATA cannot be written by user $(id -u)" \\
                "Let this user write to the volume: securityContext.fsGroup: 999"
            PGDATA=$PGDATA/pgdata
            mkdir -p "$PGDATA"
        fi
        export PGDATA
        mkdir -p /var/run/postgresql
        chmod 700 "$PGDATA"
        value POSTGRES_PASSWORD ""
        value POSTGRES_USER postgres
        value POSTGRES_DB "$POSTGRES_USER"
        value POSTGRES_INITDB_ARGS ""
        value POSTGRES_HOST_AUTH_METHOD ""

        init_process_file() {
            case "$1" in
            *.sh) say "$0: running $1"; if [ -x "$1" ]; then "$1"; else . "$1"; fi ;;
            *.sql) say "$0: running $1"; psql_init -f "$1" ;;
            *.sql.gz) say "$0: running $1"; gunzip -c "$1" | psql_init ;;
            *) say "$0: ignoring $1" ;;
            esac
        }
        psql_init() {
            PGHOST= PGHOSTADDR= psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" \\
                --dbname "$POSTGRES_DB" "$@"
        }

        if [ -s "$PGDATA/PG_VERSION" ]; then
            say "PostgreSQL Database directory appears to contain a database; Skipping initialization"
        else
            if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
                fail "Database is uninitialized and superuser password is not specified." \\
                    "Set POSTGRES_PASSWORD to a value that is not empty, for example in the container's env:" \\
                    "  - {name: POSTGRES_PASSWORD, value: secret}" \\
                    "POSTGRES_HOST_AUTH_METHOD=trust lets everybody in without one; that is for playing only."
            fi
            if [ "$POSTGRES_HOST_AUTH_METHOD" = trust ]; then
                say "WARNING: POSTGRES_HOST_AUTH_METHOD is trust: whoever reaches the port is let in, without a password."
            fi
            encryption=scram-sha-256
            case "$POSTGRES_HOST_AUTH_METHOD" in md5) encryption=md5 ;; esac
            printf '%s\\n' "$POSTGRES_PASSWORD" > /tmp/pwfile
            password=--pwfile=/tmp/pwfile
            [ -n "$POSTGRES_PASSWORD" ] || password=
            eval "initdb --username=\\"\\$POSTGRES_USER\\" $password --encoding=UTF8 --locale=C.UTF-8 --no-sync \\
                --no-instructions $POSTGRES_INITDB_ARGS"
            rm -f /tmp/pwfile
            echo "password_encryption = '$encryption'" >> "$PGDATA/postgresql.conf"
            echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
            echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
            if [ "$encryption" = md5 ] && [ -n "$POSTGRES_PASSWORD" ]; then
                printf "ALTER USER \\"%s\\" PASSWORD '%s';\\n" "$POSTGRES_USER" \\
                    "$(printf %s "$POSTGRES_PASSWORD" | sed "s/'/''/g")" \\
                    | postgres --single -F -D "$PGDATA" postgres >/dev/null
            fi
            if [ "$POSTGRES_DB" != postgres ]; then
                printf 'CREATE DATABASE "%s";\\n' "$POSTGRES_DB" | postgres --single -F -D "$PGDATA" postgres >/dev/null
                say "CREATE DATABASE $POSTGRES_DB"
            fi
            if ls /docker-entrypoint-initdb.d/* >/dev/null 2>&1; then
                PGPASSWORD=$POSTGRES_PASSWORD
                export PGPASSWORD POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB
                pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w -s start
                for file in /docker-entrypoint-initdb.d/*; do init_process_file "$file"; done
                pg_ctl -D "$PGDATA" -m fast -w -s stop
                unset PGPASSWORD
            fi
            say "PostgreSQL init process complete; ready for start up."
        fi
        exec "$@"

        """
}
