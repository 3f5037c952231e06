from __future__ import annotations

from django.contrib import admin
from django.core.mail import send_mail
from django.http import HttpResponse
from django.urls import path


def send(_request):
    send_mail("From a view", "Hi", None, ["ap@customer.example"])
    return HttpResponse("sent")


async def send_later(_request):
    from asgiref.sync import sync_to_async

    await sync_to_async(send_mail)("From a view", "Hi", None, ["ap@customer.example"])
    return HttpResponse("sent")


urlpatterns = [path("send", send), path("later", send_later), path("admin/", admin.site.urls)]
