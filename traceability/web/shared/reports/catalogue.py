"""All reports, in the order of the list."""

from . import lot_reconciliation, open_exceptions, silent_parties, site_movements, stock, tracing_answer
from .frame import Report

REPORTS: tuple[Report, ...] = (
    lot_reconciliation.REPORT,
    site_movements.REPORT,
    stock.BY_LOT,
    stock.NEAR_EXPIRY,
    open_exceptions.REPORT,
    tracing_answer.REPORT,
    silent_parties.REPORT,
)
