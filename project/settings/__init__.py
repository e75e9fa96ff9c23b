"""The settings of the service: environment in, settings out, a file per package."""

from project.settings.channels import *
from project.settings.chat import *
from project.settings.cors import *
from project.settings.database import *
from project.settings.django import *
from project.settings.logging import *
from project.settings.rest_framework import *
from project.settings.security import *
from project.settings.simplejwt import *
