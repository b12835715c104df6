"""What is deployed: Finance Report as declared facts."""

from finance_report.app import APP
from finance_report.minio import MINIO
from finance_report.postgres import POSTGRES
from finance_report.redis import REDIS
from finance_report.router import ROUTER
from infra.model.service import Project

PROJECT = Project(
    name="finance_report",
    title="Finance Report",
    host="report",
    database="finance_report",
    services=(POSTGRES, REDIS, MINIO, ROUTER, APP),
    smoke_profile="finance_report/smoke.yaml",
    images="finance_report/images.yaml",
    acceptance="finance_report/acceptance",
)
