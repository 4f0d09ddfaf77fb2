-- Lists the mails about the newest live publication that no mail server has accepted, with the last error.
-- Grain: one row per kind and recipient. Reads: publications, publication_deliveries. Binds: -.
select
    publications.effective_session,
    publication_deliveries.kind,
    publication_deliveries.recipient,
    publication_deliveries.last_error
from risk.publication_deliveries
inner join risk.publications on publication_deliveries.publication_id = publications.publication_id
where
    publication_deliveries.sent_at is null
    and publications.publication_id = (
        select max(newest.publication_id)
        from risk.publications as newest
        where newest.is_live
    )
order by
    publication_deliveries.kind asc,
    publication_deliveries.recipient asc;
