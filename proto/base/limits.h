/* Every limit of Handle Broker, in one place: what goes over the wire, what a peer may hold, and how
 * long anything may take. PROTOCOL.md "Limits" lists those that a client can meet. */
#ifndef HBK_LIMITS_H
#define HBK_LIMITS_H

/* ---- the line ---- */
#define HBK_PROTOCOL_VERSION 1
#define HBK_LINE_BYTES_MAX 65536 /* with its LF */
#define HBK_JSON_DEPTH_MAX 8
#define HBK_JSON_VALUES_MAX 4096 /* values a line, so that 64 KiB cannot become megabytes of tree */
#define HBK_JSON_MEMBERS_MAX 64  /* members an object: bounds the search for duplicates */
#define HBK_JSON_DIGITS_MAX 20   /* digits a number: the longest spelling of 64 bits */
#define HBK_INTEGER_MAX 9007199254740991LL /* 2^53 - 1: exact in every JSON library */
#define HBK_ID_TEXT_BYTES_MAX 64

/* ---- fields ---- */
#define HBK_HANDLE_MIN 4u
#define HBK_HANDLE_MAX 2147483644u /* the highest multiple of 4 below the kernel's half */
#define HBK_NAME_BYTES_MAX 260
#define HBK_TYPE_BYTES_MAX 32
#define HBK_SID_BYTES_MAX 187 /* SECURITY_MAX_SID_STRING_CHARACTERS, without its NUL */
#define HBK_CLIENT_NAME_BYTES_MAX 64
#define HBK_CLIENT_VERSION_BYTES_MAX 32
#define HBK_PROTOCOLS_MAX 8
#define HBK_ITEMS_MAX 64
#define HBK_TYPES_MAX 24
#define HBK_DATA_BYTES_MAX 8192 /* as the broker escapes it: quotes, backslashes, control bytes */
#define HBK_REASON_BYTES_MAX 256
#define HBK_SDDL_BYTES_MAX 2048
#define HBK_DETAIL_BYTES_MAX 240
#define HBK_LIMIT_NAME_BYTES_MAX 32
#define HBK_CURSOR_BYTES_MAX 32
#define HBK_PAGE_MAX 64
#define HBK_PAGE_ITEMS_MAX 512          /* of all deliveries of a page; see HBK_JSON_VALUES_MAX */
#define HBK_PAGE_HANDLES_MAX 512        /* of a process, or holders of an object; likewise */
#define HBK_ENDPOINTS_LOOKED_AT_MAX 256 /* for one page of a listing, shown or not */
#define HBK_QUOTAS_MAX 16
#define HBK_METRICS_BYTES_MAX \
    16384                /* of the text of broker.metrics, which is escaped to twice that at most */
#define HBK_SCAN_MAX 256 /* sessions, or deliveries, looked at for one page of a list */
#define HBK_VERB_BYTES_MAX 16
#define HBK_EVENT_NAME_BYTES_MAX 32
#define HBK_RULE_BYTES_MAX 320 /* of the text that names a rule */
#define HBK_WAIT_MS_MAX 60000
#define HBK_SOCKETS_MAX 16              /* of the items of a send */
#define HBK_PROTOCOL_INFO_BYTES_MAX 840 /* base64 of a WSAPROTOCOL_INFOW: 628 bytes */
#define HBK_TICKET_BYTES 32             /* of hex: 128 random bits */
#define HBK_TTL_MS_MAX 2147483647u      /* of an entry of the store: 24 days */
#define HBK_TIMEOUT_MS_DEFAULT 10000

/* ---- what a peer may hold; those with a name in hbk_limits can be set by configuration ---- */
#define HBK_SESSIONS_MAX 4096
#define HBK_SESSIONS_PER_USER_MAX 2048 /* half, so that no single user has them all */
#define HBK_SESSIONS_REFUSED_MAX 4     /* of a user, that are being told so at one time */
#define HBK_REQUESTS_PER_SESSION_MAX 64
#define HBK_ENDPOINTS_PER_SESSION_MAX 64
#define HBK_PINS_PER_SESSION_MAX 1024
#define HBK_PENDING_PER_ENDPOINT_MAX 256
#define HBK_WRITE_QUEUE_BYTES_MAX 262144

/* ---- what all users share: each may take half of what is left ---- */
#define HBK_REQUESTS_MAX 16384
#define HBK_PINS_MAX 65536
#define HBK_PENDING_MAX 16384
#define HBK_ENDPOINTS_MAX 16384
#define HBK_STORED_MAX 65536          /* entries of the store */
#define HBK_STORED_BYTES_MAX 67108864 /* of their names, descriptors and data */
#define HBK_QUEUED_BYTES_MAX 134217728

/* ---- policy and audit ---- */
#define HBK_CONFIG_BYTES_MAX 262144
#define HBK_CONFIG_PATH_BYTES_MAX 1024 /* of a file that the configuration names */
#define HBK_JSON_FILE_VALUES_MAX 16384
#define HBK_POLICY_RULES_MAX 256
#define HBK_GRANTS_CACHED 8 /* decisions that a session remembers */
#define HBK_WATCHERS_MAX 16
#define HBK_LOOKS_MAX 16          /* at handle tables at one time; each user half of what is left */
#define HBK_AUDIT_USERS_MAX 64    /* users that refusals are gathered for in one minute */
#define HBK_AUDIT_PERIOD_MS 60000 /* for which refusals of one user are gathered */
#define HBK_AUDIT_QUEUE_BYTES_MAX 1048576
#define HBK_AUDIT_FILE_BYTES_DEFAULT 10485760
#define HBK_AUDIT_FILES_DEFAULT 5

/* ---- metrics ---- */
#define HBK_METRICS_INTERVAL_MS_DEFAULT 15000 /* between two writes of their file */
/* How long hand-offs take is counted up to these: milliseconds, and the same in seconds as the text spells it. */
#define HBK_HANDOFF_BUCKETS(BUCKET) \
    BUCKET(1, "0.001")              \
    BUCKET(2, "0.002")              \
    BUCKET(5, "0.005")              \
    BUCKET(10, "0.01")              \
    BUCKET(25, "0.025")             \
    BUCKET(50, "0.05")              \
    BUCKET(100, "0.1")              \
    BUCKET(250, "0.25")             \
    BUCKET(500, "0.5")              \
    BUCKET(1000, "1.0")             \
    BUCKET(2500, "2.5")             \
    BUCKET(5000, "5.0")             \
    BUCKET(10000, "10.0")           \
    BUCKET(60000, "60.0")

/* ---- deadlines ---- */
#define HBK_HELLO_DEADLINE_MS 10000 /* from connect to proof */
#define HBK_LINE_DEADLINE_MS 10000  /* from a line's first byte to its LF */
#define HBK_WRITE_DEADLINE_MS 10000 /* a peer that reads nothing for so long is let go */
#define HBK_STOP_DEADLINE_MS 5000   /* from stop to the last answer */
#define HBK_SOCKET_DEADLINE_MS 250  /* that a worker may take for the sockets of one send */
#define HBK_LOOK_DEADLINE_MS 5000   /* that a look at handle tables may take in all */
#define HBK_LOOK_MS 1000            /* that a worker compares objects for one look */
#define HBK_LOOK_BYTES_MAX 33554432 /* of what Windows tells of all handles: some 800,000 */

/* ---- the service's own work ---- */
#define HBK_PIPE_INSTANCES_WAITING 8
#define HBK_PIPE_BUFFER_BYTES 65536
#define HBK_READ_BYTES \
    4096 /* of each pending read: nearly every line fits, idle sessions stay small */
#define HBK_READ_BYTES_MAX 65536 /* of one that follows reads that were full */
#define HBK_READ_SLAB_PLACES 64
#define HBK_READ_SLABS_MAX \
    (2 * HBK_SESSIONS_MAX / HBK_READ_SLAB_PLACES) /* open, and still closing */
/* Between two pieces of the core's work: how many pipes are looked at, how many of those that have something are
 * taken in, and how many new clients. */
#define HBK_READS_LOOKED_AT 512
#define HBK_READS_PER_TURN 8
#define HBK_FRAMER_BYTES_MAX 262144 /* arrived and not taken: reading pauses long before */
/* What the broker's thread does, in the unit of a handle that is placed or closed; to pin one counts as two. */
#define HBK_WORK_AHEAD 16     /* who had nothing to do may do so much before others go on */
#define HBK_WORK_PER_PIECE 2  /* before the next look at the pipes */
#define HBK_WORK_PER_WRITE 16 /* of requests of one process before what it has caused is written */
#define HBK_WORK_BYTES 8192   /* of a line, that count as one */
#define HBK_WORK_PIN 2
#define HBK_WORK_LOOKED_AT 256 /* sessions and deliveries that are looked at, that count as one */
#define HBK_DEADLINES_PER_TURN 4
#define HBK_BATCH_BYTES 16384 /* lines with handle values that gather for one write to one target */
#define HBK_WORKERS_MAX 32    /* threads for what may block; of a user one, and one that looks */

#endif
