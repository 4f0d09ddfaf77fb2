-- Keeps a page of an answer that is not loaded yet.
-- Grain: one row per vendor, question and page. Writes: vendor_pages.
-- Rerun: the page that came last stays.
insert into risk.vendor_pages (
    vendor,
    question,
    page_number,
    asked_at,
    page_count,
    content,
    content_sha256
)
values (
    %(vendor)s,
    %(question)s,
    %(page_number)s,
    %(asked_at)s,
    %(page_count)s,
    %(content)s,
    %(content_sha256)s
)
on conflict (vendor, question, page_number) do update
    set
        asked_at = excluded.asked_at,
        page_count = excluded.page_count,
        content = excluded.content,
        content_sha256 = excluded.content_sha256;
