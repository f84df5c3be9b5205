"""twinplane.config.v1.Config put together: its methods behind the door of one listener."""

from dataclasses import dataclass, replace

import grpc

from twinplane.identity.role import Access
from twinplane.services.config.commit import CommitMethods
from twinplane.services.config.edit import EditMethods
from twinplane.services.config.error import brief
from twinplane.services.config.history import HistoryMethods
from twinplane.services.config.notification import NotificationMethods
from twinplane.services.config.read import ReadMethods
from twinplane.services.config.repair import RepairMethods
from twinplane.services.config.schema import SchemaMethods
from twinplane.services.config.session import SessionMethods
from twinplane.services.config.target import Target
from twinplane.services.rpc import Door, Handler, Service, stream, unary
from twinplane.services.view import Views
from twinplane_wire.v1 import config_pb2 as pb

NAME: str = pb.DESCRIPTOR.services_by_name["Config"].full_name


@dataclass(frozen=True, slots=True)
class Config:
    """The groups of methods; one object serves all listeners."""

    sessions: SessionMethods
    read: ReadMethods
    edit: EditMethods
    commit: CommitMethods
    history: HistoryMethods
    repair: RepairMethods
    schema: SchemaMethods
    notifications: NotificationMethods
    views: Views

    def behind(self, door: Door) -> Service:
        """The service as one listener offers it."""
        return grpc.method_handlers_generic_handler(
            NAME, self._handlers(replace(door, detail=brief, told=self.views.told))
        )

    def _handlers(self, door: Door) -> dict[str, Handler]:
        read, write = Access.READ, Access.WRITE
        sessions, edit, commit, history = self.sessions, self.edit, self.commit, self.history
        return {
            "OpenSession": stream(door, "OpenSession", read, pb.OpenSessionRequest, sessions.open),
            "ListSessions": unary(door, "ListSessions", read, pb.ListSessionsRequest, sessions.list),
            "KillSession": unary(door, "KillSession", read, pb.KillSessionRequest, sessions.kill),
            "Lock": unary(door, "Lock", write, pb.LockRequest, sessions.lock),
            "Unlock": unary(door, "Unlock", write, pb.UnlockRequest, sessions.unlock),
            "GetConfig": stream(door, "GetConfig", read, pb.GetConfigRequest, self.read.config),
            "GetData": stream(door, "GetData", read, pb.GetDataRequest, self.read.data),
            "Edit": unary(door, "Edit", write, pb.EditRequest, edit.edit, large=True),
            "CopyConfig": unary(door, "CopyConfig", write, pb.CopyConfigRequest, edit.copy, large=True),
            "Validate": unary(door, "Validate", read, pb.ValidateRequest, edit.validate, large=True),
            "Discard": unary(door, "Discard", write, pb.DiscardRequest, edit.discard),
            "Rebase": unary(door, "Rebase", write, pb.RebaseRequest, edit.rebase),
            "Plan": unary(door, "Plan", write, pb.PlanRequest, commit.plan),
            "Commit": unary(door, "Commit", write, pb.CommitRequest, commit.commit),
            "Confirm": unary(door, "Confirm", write, pb.ConfirmRequest, commit.confirm),
            "Cancel": unary(door, "Cancel", write, pb.CancelRequest, commit.cancel),
            "ListCommits": unary(door, "ListCommits", read, pb.ListCommitsRequest, history.list),
            "GetCommit": unary(door, "GetCommit", read, pb.GetCommitRequest, history.get),
            "Compare": unary(door, "Compare", read, pb.CompareRequest, history.compare),
            "Rollback": unary(door, "Rollback", write, pb.RollbackRequest, commit.roll_back),
            "Reconcile": unary(door, "Reconcile", write, pb.ReconcileRequest, self.repair.reconcile),
            "Notifications": stream(
                door, "Notifications", read, pb.NotificationsRequest, self.notifications.follow
            ),
            "ListSchemas": unary(door, "ListSchemas", read, pb.ListSchemasRequest, self.schema.list),
            "GetSchema": unary(door, "GetSchema", read, pb.GetSchemaRequest, self.schema.get),
        }


def config(target: Target) -> Config:
    """The service over a target."""
    views = Views(target.schemas)
    return Config(
        SessionMethods(target),
        ReadMethods(target, views),
        EditMethods(target, views),
        CommitMethods(target, views),
        HistoryMethods(target, views),
        RepairMethods(target, views),
        SchemaMethods(target),
        NotificationMethods(target, views),
        views,
    )
