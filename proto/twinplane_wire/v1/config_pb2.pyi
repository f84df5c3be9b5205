from google.protobuf import duration_pb2 as _duration_pb2
from twinplane_wire.gnmi import gnmi_pb2 as _gnmi_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Datastore(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATASTORE_UNSPECIFIED: _ClassVar[Datastore]
    RUNNING: _ClassVar[Datastore]
    CANDIDATE: _ClassVar[Datastore]
    PRIVATE: _ClassVar[Datastore]
    OPERATIONAL: _ClassVar[Datastore]

class TextEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JSON_IETF: _ClassVar[TextEncoding]
    XML: _ClassVar[TextEncoding]

class WithDefaults(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WITH_DEFAULTS_UNSPECIFIED: _ClassVar[WithDefaults]
    EXPLICIT: _ClassVar[WithDefaults]
    REPORT_ALL: _ClassVar[WithDefaults]
    TRIM: _ClassVar[WithDefaults]

class Effect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NONE: _ClassVar[Effect]
    LIVE: _ClassVar[Effect]
    LINK_FLAP: _ClassVar[Effect]
    GUEST_REBOOT: _ClassVar[Effect]
    RECREATE: _ClassVar[Effect]

class SchemaFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    YANG: _ClassVar[SchemaFormat]
    YIN: _ClassVar[SchemaFormat]
DATASTORE_UNSPECIFIED: Datastore
RUNNING: Datastore
CANDIDATE: Datastore
PRIVATE: Datastore
OPERATIONAL: Datastore
JSON_IETF: TextEncoding
XML: TextEncoding
WITH_DEFAULTS_UNSPECIFIED: WithDefaults
EXPLICIT: WithDefaults
REPORT_ALL: WithDefaults
TRIM: WithDefaults
NONE: Effect
LIVE: Effect
LINK_FLAP: Effect
GUEST_REBOOT: Effect
RECREATE: Effect
YANG: SchemaFormat
YIN: SchemaFormat

class DatastoreText(_message.Message):
    __slots__ = ("index", "path", "text", "encoding", "revision")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    index: int
    path: _gnmi_pb2.Path
    text: bytes
    encoding: TextEncoding
    revision: int
    def __init__(self, index: _Optional[int] = ..., path: _Optional[_Union[_gnmi_pb2.Path, _Mapping]] = ..., text: _Optional[bytes] = ..., encoding: _Optional[_Union[TextEncoding, str]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetConfigRequest(_message.Message):
    __slots__ = ("session_id", "source", "commit", "path", "depth", "with_defaults", "encoding")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    WITH_DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    source: Datastore
    commit: int
    path: _containers.RepeatedCompositeFieldContainer[_gnmi_pb2.Path]
    depth: int
    with_defaults: WithDefaults
    encoding: TextEncoding
    def __init__(self, session_id: _Optional[int] = ..., source: _Optional[_Union[Datastore, str]] = ..., commit: _Optional[int] = ..., path: _Optional[_Iterable[_Union[_gnmi_pb2.Path, _Mapping]]] = ..., depth: _Optional[int] = ..., with_defaults: _Optional[_Union[WithDefaults, str]] = ..., encoding: _Optional[_Union[TextEncoding, str]] = ...) -> None: ...

class GetDataRequest(_message.Message):
    __slots__ = ("session_id", "source", "path", "content", "depth", "with_defaults", "encoding")
    class Content(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ALL: _ClassVar[GetDataRequest.Content]
        CONFIG: _ClassVar[GetDataRequest.Content]
        STATE: _ClassVar[GetDataRequest.Content]
    ALL: GetDataRequest.Content
    CONFIG: GetDataRequest.Content
    STATE: GetDataRequest.Content
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    WITH_DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    source: Datastore
    path: _containers.RepeatedCompositeFieldContainer[_gnmi_pb2.Path]
    content: GetDataRequest.Content
    depth: int
    with_defaults: WithDefaults
    encoding: TextEncoding
    def __init__(self, session_id: _Optional[int] = ..., source: _Optional[_Union[Datastore, str]] = ..., path: _Optional[_Iterable[_Union[_gnmi_pb2.Path, _Mapping]]] = ..., content: _Optional[_Union[GetDataRequest.Content, str]] = ..., depth: _Optional[int] = ..., with_defaults: _Optional[_Union[WithDefaults, str]] = ..., encoding: _Optional[_Union[TextEncoding, str]] = ...) -> None: ...

class OpenSessionRequest(_message.Message):
    __slots__ = ("linger", "session_id", "secret")
    LINGER_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    linger: _duration_pb2.Duration
    session_id: int
    secret: str
    def __init__(self, linger: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., session_id: _Optional[int] = ..., secret: _Optional[str] = ...) -> None: ...

class SessionEvent(_message.Message):
    __slots__ = ("opened", "lock_lost", "ended")
    class Opened(_message.Message):
        __slots__ = ("session_id", "secret", "resumed")
        SESSION_ID_FIELD_NUMBER: _ClassVar[int]
        SECRET_FIELD_NUMBER: _ClassVar[int]
        RESUMED_FIELD_NUMBER: _ClassVar[int]
        session_id: int
        secret: str
        resumed: bool
        def __init__(self, session_id: _Optional[int] = ..., secret: _Optional[str] = ..., resumed: bool = ...) -> None: ...
    class LockLost(_message.Message):
        __slots__ = ("datastore", "reason")
        DATASTORE_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        datastore: Datastore
        reason: str
        def __init__(self, datastore: _Optional[_Union[Datastore, str]] = ..., reason: _Optional[str] = ...) -> None: ...
    class Ended(_message.Message):
        __slots__ = ("reason",)
        REASON_FIELD_NUMBER: _ClassVar[int]
        reason: str
        def __init__(self, reason: _Optional[str] = ...) -> None: ...
    OPENED_FIELD_NUMBER: _ClassVar[int]
    LOCK_LOST_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    opened: SessionEvent.Opened
    lock_lost: SessionEvent.LockLost
    ended: SessionEvent.Ended
    def __init__(self, opened: _Optional[_Union[SessionEvent.Opened, _Mapping]] = ..., lock_lost: _Optional[_Union[SessionEvent.LockLost, _Mapping]] = ..., ended: _Optional[_Union[SessionEvent.Ended, _Mapping]] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("session_id", "user", "peer", "since", "connected", "expires", "lock", "private_candidate", "base_revision")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    LOCK_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    user: str
    peer: str
    since: int
    connected: bool
    expires: int
    lock: _containers.RepeatedCompositeFieldContainer[LockInfo]
    private_candidate: bool
    base_revision: int
    def __init__(self, session_id: _Optional[int] = ..., user: _Optional[str] = ..., peer: _Optional[str] = ..., since: _Optional[int] = ..., connected: bool = ..., expires: _Optional[int] = ..., lock: _Optional[_Iterable[_Union[LockInfo, _Mapping]]] = ..., private_candidate: bool = ..., base_revision: _Optional[int] = ...) -> None: ...

class ListSessionsRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    def __init__(self, session_id: _Optional[int] = ...) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: _containers.RepeatedCompositeFieldContainer[Session]
    def __init__(self, session: _Optional[_Iterable[_Union[Session, _Mapping]]] = ...) -> None: ...

class KillSessionRequest(_message.Message):
    __slots__ = ("session_id", "target")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    target: int
    def __init__(self, session_id: _Optional[int] = ..., target: _Optional[int] = ...) -> None: ...

class KillSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LockInfo(_message.Message):
    __slots__ = ("datastore", "session_id", "user", "reason", "since", "expires")
    DATASTORE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    datastore: Datastore
    session_id: int
    user: str
    reason: str
    since: int
    expires: int
    def __init__(self, datastore: _Optional[_Union[Datastore, str]] = ..., session_id: _Optional[int] = ..., user: _Optional[str] = ..., reason: _Optional[str] = ..., since: _Optional[int] = ..., expires: _Optional[int] = ...) -> None: ...

class LockRequest(_message.Message):
    __slots__ = ("session_id", "target", "reason", "expires_after", "break_held")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AFTER_FIELD_NUMBER: _ClassVar[int]
    BREAK_HELD_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    target: Datastore
    reason: str
    expires_after: _duration_pb2.Duration
    break_held: bool
    def __init__(self, session_id: _Optional[int] = ..., target: _Optional[_Union[Datastore, str]] = ..., reason: _Optional[str] = ..., expires_after: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., break_held: bool = ...) -> None: ...

class LockResponse(_message.Message):
    __slots__ = ("lock",)
    LOCK_FIELD_NUMBER: _ClassVar[int]
    lock: LockInfo
    def __init__(self, lock: _Optional[_Union[LockInfo, _Mapping]] = ...) -> None: ...

class UnlockRequest(_message.Message):
    __slots__ = ("session_id", "target")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    target: Datastore
    def __init__(self, session_id: _Optional[int] = ..., target: _Optional[_Union[Datastore, str]] = ...) -> None: ...

class UnlockResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Edit(_message.Message):
    __slots__ = ("operation", "path", "value", "insert", "point")
    class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OPERATION_UNSPECIFIED: _ClassVar[Edit.Operation]
        MERGE: _ClassVar[Edit.Operation]
        REPLACE: _ClassVar[Edit.Operation]
        CREATE: _ClassVar[Edit.Operation]
        DELETE: _ClassVar[Edit.Operation]
        REMOVE: _ClassVar[Edit.Operation]
        INSERT: _ClassVar[Edit.Operation]
        MOVE: _ClassVar[Edit.Operation]
    OPERATION_UNSPECIFIED: Edit.Operation
    MERGE: Edit.Operation
    REPLACE: Edit.Operation
    CREATE: Edit.Operation
    DELETE: Edit.Operation
    REMOVE: Edit.Operation
    INSERT: Edit.Operation
    MOVE: Edit.Operation
    class Insert(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LAST: _ClassVar[Edit.Insert]
        FIRST: _ClassVar[Edit.Insert]
        BEFORE: _ClassVar[Edit.Insert]
        AFTER: _ClassVar[Edit.Insert]
    LAST: Edit.Insert
    FIRST: Edit.Insert
    BEFORE: Edit.Insert
    AFTER: Edit.Insert
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INSERT_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    operation: Edit.Operation
    path: _gnmi_pb2.Path
    value: bytes
    insert: Edit.Insert
    point: _gnmi_pb2.Path
    def __init__(self, operation: _Optional[_Union[Edit.Operation, str]] = ..., path: _Optional[_Union[_gnmi_pb2.Path, _Mapping]] = ..., value: _Optional[bytes] = ..., insert: _Optional[_Union[Edit.Insert, str]] = ..., point: _Optional[_Union[_gnmi_pb2.Path, _Mapping]] = ...) -> None: ...

class EditRequest(_message.Message):
    __slots__ = ("session_id", "target", "edit", "test_option", "encoding", "expected_revision")
    class TestOption(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TEST_THEN_SET: _ClassVar[EditRequest.TestOption]
        SET: _ClassVar[EditRequest.TestOption]
        TEST_ONLY: _ClassVar[EditRequest.TestOption]
    TEST_THEN_SET: EditRequest.TestOption
    SET: EditRequest.TestOption
    TEST_ONLY: EditRequest.TestOption
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    EDIT_FIELD_NUMBER: _ClassVar[int]
    TEST_OPTION_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    target: Datastore
    edit: _containers.RepeatedCompositeFieldContainer[Edit]
    test_option: EditRequest.TestOption
    encoding: TextEncoding
    expected_revision: int
    def __init__(self, session_id: _Optional[int] = ..., target: _Optional[_Union[Datastore, str]] = ..., edit: _Optional[_Iterable[_Union[Edit, _Mapping]]] = ..., test_option: _Optional[_Union[EditRequest.TestOption, str]] = ..., encoding: _Optional[_Union[TextEncoding, str]] = ..., expected_revision: _Optional[int] = ...) -> None: ...

class EditResponse(_message.Message):
    __slots__ = ("base_revision",)
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    base_revision: int
    def __init__(self, base_revision: _Optional[int] = ...) -> None: ...

class CopyConfigRequest(_message.Message):
    __slots__ = ("session_id", "target", "source", "commit", "text", "encoding")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    target: Datastore
    source: Datastore
    commit: int
    text: bytes
    encoding: TextEncoding
    def __init__(self, session_id: _Optional[int] = ..., target: _Optional[_Union[Datastore, str]] = ..., source: _Optional[_Union[Datastore, str]] = ..., commit: _Optional[int] = ..., text: _Optional[bytes] = ..., encoding: _Optional[_Union[TextEncoding, str]] = ...) -> None: ...

class CopyConfigResponse(_message.Message):
    __slots__ = ("base_revision",)
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    base_revision: int
    def __init__(self, base_revision: _Optional[int] = ...) -> None: ...

class ValidateRequest(_message.Message):
    __slots__ = ("session_id", "source", "text", "encoding")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    source: Datastore
    text: bytes
    encoding: TextEncoding
    def __init__(self, session_id: _Optional[int] = ..., source: _Optional[_Union[Datastore, str]] = ..., text: _Optional[bytes] = ..., encoding: _Optional[_Union[TextEncoding, str]] = ...) -> None: ...

class ValidateResponse(_message.Message):
    __slots__ = ("valid", "error")
    VALID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    error: _containers.RepeatedCompositeFieldContainer[Error]
    def __init__(self, valid: bool = ..., error: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class DiscardRequest(_message.Message):
    __slots__ = ("session_id", "target")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    target: Datastore
    def __init__(self, session_id: _Optional[int] = ..., target: _Optional[_Union[Datastore, str]] = ...) -> None: ...

class DiscardResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RebaseRequest(_message.Message):
    __slots__ = ("session_id", "target")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    target: Datastore
    def __init__(self, session_id: _Optional[int] = ..., target: _Optional[_Union[Datastore, str]] = ...) -> None: ...

class RebaseResponse(_message.Message):
    __slots__ = ("base_revision", "conflict")
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_FIELD_NUMBER: _ClassVar[int]
    base_revision: int
    conflict: _containers.RepeatedCompositeFieldContainer[_gnmi_pb2.Path]
    def __init__(self, base_revision: _Optional[int] = ..., conflict: _Optional[_Iterable[_Union[_gnmi_pb2.Path, _Mapping]]] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("error_type", "error_tag", "error_path", "error_app_tag", "error_message", "remedy", "path", "operation")
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_TAG_FIELD_NUMBER: _ClassVar[int]
    ERROR_PATH_FIELD_NUMBER: _ClassVar[int]
    ERROR_APP_TAG_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    error_type: str
    error_tag: str
    error_path: str
    error_app_tag: str
    error_message: str
    remedy: str
    path: _gnmi_pb2.Path
    operation: int
    def __init__(self, error_type: _Optional[str] = ..., error_tag: _Optional[str] = ..., error_path: _Optional[str] = ..., error_app_tag: _Optional[str] = ..., error_message: _Optional[str] = ..., remedy: _Optional[str] = ..., path: _Optional[_Union[_gnmi_pb2.Path, _Mapping]] = ..., operation: _Optional[int] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("path", "kind", "before", "after")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CREATED: _ClassVar[Change.Kind]
        CHANGED: _ClassVar[Change.Kind]
        DELETED: _ClassVar[Change.Kind]
    CREATED: Change.Kind
    CHANGED: Change.Kind
    DELETED: Change.Kind
    PATH_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    path: _gnmi_pb2.Path
    kind: Change.Kind
    before: bytes
    after: bytes
    def __init__(self, path: _Optional[_Union[_gnmi_pb2.Path, _Mapping]] = ..., kind: _Optional[_Union[Change.Kind, str]] = ..., before: _Optional[bytes] = ..., after: _Optional[bytes] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("phase", "action", "object", "owner", "effect", "text")
    PHASE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    phase: str
    action: str
    object: str
    owner: _gnmi_pb2.Path
    effect: Effect
    text: str
    def __init__(self, phase: _Optional[str] = ..., action: _Optional[str] = ..., object: _Optional[str] = ..., owner: _Optional[_Union[_gnmi_pb2.Path, _Mapping]] = ..., effect: _Optional[_Union[Effect, str]] = ..., text: _Optional[str] = ...) -> None: ...

class ObjectEffect(_message.Message):
    __slots__ = ("path", "effect")
    PATH_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    path: _gnmi_pb2.Path
    effect: Effect
    def __init__(self, path: _Optional[_Union[_gnmi_pb2.Path, _Mapping]] = ..., effect: _Optional[_Union[Effect, str]] = ...) -> None: ...

class Capacity(_message.Message):
    __slots__ = ("resource", "total", "reserved", "committed", "free")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    resource: str
    total: int
    reserved: int
    committed: int
    free: int
    def __init__(self, resource: _Optional[str] = ..., total: _Optional[int] = ..., reserved: _Optional[int] = ..., committed: _Optional[int] = ..., free: _Optional[int] = ...) -> None: ...

class PlanRequest(_message.Message):
    __slots__ = ("session_id", "source")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    source: Datastore
    def __init__(self, session_id: _Optional[int] = ..., source: _Optional[_Union[Datastore, str]] = ...) -> None: ...

class PlanResponse(_message.Message):
    __slots__ = ("revision", "step", "effect", "change", "capacity", "refused")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    revision: int
    step: _containers.RepeatedCompositeFieldContainer[Step]
    effect: _containers.RepeatedCompositeFieldContainer[ObjectEffect]
    change: _containers.RepeatedCompositeFieldContainer[Change]
    capacity: _containers.RepeatedCompositeFieldContainer[Capacity]
    refused: _containers.RepeatedCompositeFieldContainer[Error]
    def __init__(self, revision: _Optional[int] = ..., step: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., effect: _Optional[_Iterable[_Union[ObjectEffect, _Mapping]]] = ..., change: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., capacity: _Optional[_Iterable[_Union[Capacity, _Mapping]]] = ..., refused: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class Confirmed(_message.Message):
    __slots__ = ("timeout", "persist_id")
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    PERSIST_ID_FIELD_NUMBER: _ClassVar[int]
    timeout: _duration_pb2.Duration
    persist_id: str
    def __init__(self, timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., persist_id: _Optional[str] = ...) -> None: ...

class CommitRequest(_message.Message):
    __slots__ = ("session_id", "source", "comment", "expected_revision", "max_disruption", "confirmed")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    MAX_DISRUPTION_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    source: Datastore
    comment: str
    expected_revision: int
    max_disruption: Effect
    confirmed: Confirmed
    def __init__(self, session_id: _Optional[int] = ..., source: _Optional[_Union[Datastore, str]] = ..., comment: _Optional[str] = ..., expected_revision: _Optional[int] = ..., max_disruption: _Optional[_Union[Effect, str]] = ..., confirmed: _Optional[_Union[Confirmed, _Mapping]] = ...) -> None: ...

class CommitResponse(_message.Message):
    __slots__ = ("revision", "time", "changed", "change", "persist_id")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    PERSIST_ID_FIELD_NUMBER: _ClassVar[int]
    revision: int
    time: int
    changed: bool
    change: _containers.RepeatedCompositeFieldContainer[Change]
    persist_id: str
    def __init__(self, revision: _Optional[int] = ..., time: _Optional[int] = ..., changed: bool = ..., change: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., persist_id: _Optional[str] = ...) -> None: ...

class ReconcileRequest(_message.Message):
    __slots__ = ("session_id", "path", "dry_run", "max_disruption")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    MAX_DISRUPTION_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    path: _containers.RepeatedCompositeFieldContainer[_gnmi_pb2.Path]
    dry_run: bool
    max_disruption: Effect
    def __init__(self, session_id: _Optional[int] = ..., path: _Optional[_Iterable[_Union[_gnmi_pb2.Path, _Mapping]]] = ..., dry_run: bool = ..., max_disruption: _Optional[_Union[Effect, str]] = ...) -> None: ...

class ReconcileResponse(_message.Message):
    __slots__ = ("revision", "step", "effect", "failed", "waiting")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    revision: int
    step: _containers.RepeatedCompositeFieldContainer[Step]
    effect: _containers.RepeatedCompositeFieldContainer[ObjectEffect]
    failed: _containers.RepeatedCompositeFieldContainer[Error]
    waiting: _containers.RepeatedCompositeFieldContainer[Error]
    def __init__(self, revision: _Optional[int] = ..., step: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., effect: _Optional[_Iterable[_Union[ObjectEffect, _Mapping]]] = ..., failed: _Optional[_Iterable[_Union[Error, _Mapping]]] = ..., waiting: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class ConfirmRequest(_message.Message):
    __slots__ = ("session_id", "persist_id")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PERSIST_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    persist_id: str
    def __init__(self, session_id: _Optional[int] = ..., persist_id: _Optional[str] = ...) -> None: ...

class ConfirmResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ("session_id", "persist_id")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PERSIST_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    persist_id: str
    def __init__(self, session_id: _Optional[int] = ..., persist_id: _Optional[str] = ...) -> None: ...

class CancelResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class CommitRecord(_message.Message):
    __slots__ = ("number", "time", "author", "source", "peer", "comment", "confirmation")
    class Confirmation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NOT_ASKED: _ClassVar[CommitRecord.Confirmation]
        WAITING: _ClassVar[CommitRecord.Confirmation]
        CONFIRMED: _ClassVar[CommitRecord.Confirmation]
        TAKEN_BACK: _ClassVar[CommitRecord.Confirmation]
    NOT_ASKED: CommitRecord.Confirmation
    WAITING: CommitRecord.Confirmation
    CONFIRMED: CommitRecord.Confirmation
    TAKEN_BACK: CommitRecord.Confirmation
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    number: int
    time: int
    author: str
    source: str
    peer: str
    comment: str
    confirmation: CommitRecord.Confirmation
    def __init__(self, number: _Optional[int] = ..., time: _Optional[int] = ..., author: _Optional[str] = ..., source: _Optional[str] = ..., peer: _Optional[str] = ..., comment: _Optional[str] = ..., confirmation: _Optional[_Union[CommitRecord.Confirmation, str]] = ...) -> None: ...

class ListCommitsRequest(_message.Message):
    __slots__ = ("session_id", "before", "limit")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    before: int
    limit: int
    def __init__(self, session_id: _Optional[int] = ..., before: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListCommitsResponse(_message.Message):
    __slots__ = ("commit", "oldest", "persist_id")
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    OLDEST_FIELD_NUMBER: _ClassVar[int]
    PERSIST_ID_FIELD_NUMBER: _ClassVar[int]
    commit: _containers.RepeatedCompositeFieldContainer[CommitRecord]
    oldest: int
    persist_id: str
    def __init__(self, commit: _Optional[_Iterable[_Union[CommitRecord, _Mapping]]] = ..., oldest: _Optional[int] = ..., persist_id: _Optional[str] = ...) -> None: ...

class GetCommitRequest(_message.Message):
    __slots__ = ("session_id", "number")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    number: int
    def __init__(self, session_id: _Optional[int] = ..., number: _Optional[int] = ...) -> None: ...

class GetCommitResponse(_message.Message):
    __slots__ = ("commit", "change")
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    commit: CommitRecord
    change: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, commit: _Optional[_Union[CommitRecord, _Mapping]] = ..., change: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...

class CompareRequest(_message.Message):
    __slots__ = ("session_id", "to", "candidate")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    to: int
    candidate: Datastore
    def __init__(self, session_id: _Optional[int] = ..., to: _Optional[int] = ..., candidate: _Optional[_Union[Datastore, str]] = ..., **kwargs) -> None: ...

class CompareResponse(_message.Message):
    __slots__ = ("change",)
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    change: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, change: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...

class RollbackRequest(_message.Message):
    __slots__ = ("session_id", "number", "comment", "expected_revision", "max_disruption", "confirmed")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    MAX_DISRUPTION_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    number: int
    comment: str
    expected_revision: int
    max_disruption: Effect
    confirmed: Confirmed
    def __init__(self, session_id: _Optional[int] = ..., number: _Optional[int] = ..., comment: _Optional[str] = ..., expected_revision: _Optional[int] = ..., max_disruption: _Optional[_Union[Effect, str]] = ..., confirmed: _Optional[_Union[Confirmed, _Mapping]] = ...) -> None: ...

class Schema(_message.Message):
    __slots__ = ("name", "revision", "namespace", "organization", "version", "implemented", "format")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IMPLEMENTED_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    name: str
    revision: str
    namespace: str
    organization: str
    version: str
    implemented: bool
    format: _containers.RepeatedScalarFieldContainer[SchemaFormat]
    def __init__(self, name: _Optional[str] = ..., revision: _Optional[str] = ..., namespace: _Optional[str] = ..., organization: _Optional[str] = ..., version: _Optional[str] = ..., implemented: bool = ..., format: _Optional[_Iterable[_Union[SchemaFormat, str]]] = ...) -> None: ...

class ListSchemasRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    def __init__(self, session_id: _Optional[int] = ...) -> None: ...

class ListSchemasResponse(_message.Message):
    __slots__ = ("schema", "content_id")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    CONTENT_ID_FIELD_NUMBER: _ClassVar[int]
    schema: _containers.RepeatedCompositeFieldContainer[Schema]
    content_id: str
    def __init__(self, schema: _Optional[_Iterable[_Union[Schema, _Mapping]]] = ..., content_id: _Optional[str] = ...) -> None: ...

class GetSchemaRequest(_message.Message):
    __slots__ = ("session_id", "name", "revision", "format")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    name: str
    revision: str
    format: SchemaFormat
    def __init__(self, session_id: _Optional[int] = ..., name: _Optional[str] = ..., revision: _Optional[str] = ..., format: _Optional[_Union[SchemaFormat, str]] = ...) -> None: ...

class GetSchemaResponse(_message.Message):
    __slots__ = ("text", "revision")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    text: str
    revision: str
    def __init__(self, text: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class NotificationsRequest(_message.Message):
    __slots__ = ("session_id", "kind", "below", "after_sequence", "since", "stop_at_now")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    BELOW_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    STOP_AT_NOW_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    kind: _containers.RepeatedScalarFieldContainer[str]
    below: _containers.RepeatedCompositeFieldContainer[_gnmi_pb2.Path]
    after_sequence: int
    since: int
    stop_at_now: bool
    def __init__(self, session_id: _Optional[int] = ..., kind: _Optional[_Iterable[str]] = ..., below: _Optional[_Iterable[_Union[_gnmi_pb2.Path, _Mapping]]] = ..., after_sequence: _Optional[int] = ..., since: _Optional[int] = ..., stop_at_now: bool = ...) -> None: ...

class Notification(_message.Message):
    __slots__ = ("sequence", "time", "kind", "path", "data", "gap", "replay_complete")
    class Gap(_message.Message):
        __slots__ = ("to",)
        FROM_FIELD_NUMBER: _ClassVar[int]
        TO_FIELD_NUMBER: _ClassVar[int]
        to: int
        def __init__(self, to: _Optional[int] = ..., **kwargs) -> None: ...
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    REPLAY_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    time: int
    kind: str
    path: _gnmi_pb2.Path
    data: bytes
    gap: Notification.Gap
    replay_complete: bool
    def __init__(self, sequence: _Optional[int] = ..., time: _Optional[int] = ..., kind: _Optional[str] = ..., path: _Optional[_Union[_gnmi_pb2.Path, _Mapping]] = ..., data: _Optional[bytes] = ..., gap: _Optional[_Union[Notification.Gap, _Mapping]] = ..., replay_complete: bool = ...) -> None: ...
