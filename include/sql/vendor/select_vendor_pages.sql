-- Reads the pages of an answer that have come.
-- Grain: one row per page, in order. Reads: vendor_pages. Binds: vendor, question.
select
    vendor_pages.page_number,
    vendor_pages.asked_at,
    vendor_pages.page_count,
    vendor_pages.content,
    vendor_pages.content_sha256
from risk.vendor_pages
where
    vendor_pages.vendor = %(vendor)s
    and vendor_pages.question = %(question)s
order by vendor_pages.page_number;
