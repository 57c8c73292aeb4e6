-- For SQLite and PostgreSQL alike. known_from <= tick < known_until: what was known; known_until null: it still is.
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value BIGINT NOT NULL);  -- tick, and 'offset of <stream>'
CREATE TABLE IF NOT EXISTS clocks (tick BIGINT PRIMARY KEY, seconds DOUBLE PRECISION NOT NULL);  -- of each transaction
CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, source TEXT NOT NULL, day BIGINT NOT NULL, text TEXT NOT NULL, retracts TEXT NOT NULL,
    tick BIGINT NOT NULL  -- of its first arrival
);
CREATE INDEX IF NOT EXISTS records_retracts ON records (retracts) WHERE retracts <> '';
CREATE TABLE IF NOT EXISTS aside (tick BIGINT PRIMARY KEY, reason TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS decisions (
    key TEXT PRIMARY KEY, one TEXT NOT NULL, other TEXT NOT NULL, same BIGINT NOT NULL, day BIGINT NOT NULL,
    tick BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS decisions_one ON decisions (one, other);
CREATE INDEX IF NOT EXISTS decisions_other ON decisions (other);

-- A node lives while living records mention it; its entity is the number of the first node of its cluster.
CREATE TABLE IF NOT EXISTS nodes (
    id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, fields TEXT NOT NULL, entity BIGINT,
    mentions BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS nodes_entity ON nodes (entity);
CREATE TABLE IF NOT EXISTS node_keys (key TEXT, node BIGINT, PRIMARY KEY (key, node));
CREATE TABLE IF NOT EXISTS links (one BIGINT, other BIGINT, weight DOUBLE PRECISION, PRIMARY KEY (one, other));  -- both ways
CREATE TABLE IF NOT EXISTS members (
    node BIGINT NOT NULL, entity BIGINT NOT NULL, known_from BIGINT NOT NULL, known_until BIGINT,
    PRIMARY KEY (node, known_from)
);
CREATE INDEX IF NOT EXISTS members_entity ON members (entity);

-- What living records say, of nodes and of the entities to which they belong now.
CREATE TABLE IF NOT EXISTS claims (
    record TEXT NOT NULL, number BIGINT NOT NULL, subject BIGINT NOT NULL, relation TEXT NOT NULL, object BIGINT NOT NULL,
    subject_entity BIGINT NOT NULL, object_entity BIGINT NOT NULL, day BIGINT NOT NULL, holds BIGINT NOT NULL,
    subject_start BIGINT, subject_end BIGINT, object_start BIGINT, object_end BIGINT, PRIMARY KEY (record, number)
);
CREATE INDEX IF NOT EXISTS claims_groups ON claims (subject_entity, relation, object_entity);
CREATE INDEX IF NOT EXISTS claims_subject ON claims (subject);
CREATE INDEX IF NOT EXISTS claims_object ON claims (object);

-- What is known: from day `since` until the day before `until` (null: nobody has said that it ended).
CREATE TABLE IF NOT EXISTS facts (
    id BIGINT PRIMARY KEY, subject BIGINT NOT NULL, relation TEXT NOT NULL, object BIGINT NOT NULL,
    since BIGINT NOT NULL, until BIGINT, known_from BIGINT NOT NULL, known_until BIGINT
);
CREATE INDEX IF NOT EXISTS facts_now ON facts (subject, relation, object) WHERE known_until IS NULL;
CREATE INDEX IF NOT EXISTS facts_subject ON facts (subject, relation);
CREATE INDEX IF NOT EXISTS facts_object ON facts (object, relation);
CREATE TABLE IF NOT EXISTS says (
    fact BIGINT NOT NULL, record TEXT NOT NULL, known_from BIGINT NOT NULL, known_until BIGINT,
    PRIMARY KEY (fact, record, known_from)
);
