"""The part `reports` of site.yaml: what a site's reports look like."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from playbooks.fields import Name, Strict

Words = Annotated[str, Field(max_length=100)]


class ReportsSource(Strict):
    """报告的样子。"""

    templates: Name | None = None
    """模板目录（相对站点目录）: official.docx、official.typ 和字体；由 huiying report templates 导出再改"""
    red_head: Words = ""
    """红头，例如 临江市政府办公室文件；空即没有红头"""
    signed: Words = ""
    """落款单位；空即 name"""
    send_to: Words = ""
    """主送，例如 市委、市政府；空即不写"""
